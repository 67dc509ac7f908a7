import { read } from './workspace.ts'

/** A TypeScript block of a Markdown file. */
export interface Example {
  readonly file: string
  /** Of the line with the fence, from 1. */
  readonly line: number
  /** What stands behind `ts` on that line. */
  readonly info: string
  readonly code: string
}

/** Every TypeScript block of a Markdown file, its path given from the root. */
export function examplesOf(file: string): Example[] {
  const text = read(file)
  return [...text.matchAll(/^```(?:ts|typescript)\b[^\S\n]*(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    file,
    line: text.slice(0, match.index).split('\n').length,
    info: match[1] ?? '',
    code: match[2] ?? '',
  }))
}

/** False for a block that says ````ts no-check: why`. */
export function isChecked({ info }: Example): boolean {
  return !info.startsWith('no-check')
}
