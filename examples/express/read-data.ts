import { readFileSync } from 'node:fs'

/** One request of the access log. */
export interface LogLine {
  /** Epoch ms. */
  readonly at: number
  readonly client: string
  readonly method: string
  readonly path: string
}

/** The addresses and networks of a list: one to a line, `#` begins a comment. */
export function readList(name: string): readonly string[] {
  return linesOf(name).filter((line) => !line.startsWith('#'))
}

/** The requests of the log, in the order of their time. */
export function readLog(): readonly LogLine[] {
  return linesOf('access-log.txt').map((line) => {
    const [seconds = '', client = '', method = '', , path = ''] = line.split('\t')
    return { at: Number(seconds) * 1000, client, method, path }
  })
}

function linesOf(name: string): readonly string[] {
  return readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
}
