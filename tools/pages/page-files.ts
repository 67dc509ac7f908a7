import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = resolve(import.meta.dirname, '../..')

/** The code of a page in `docs/`, by the names that its blocks give their files, as in ````ts suite.ts`. */
export type PageFiles = Readonly<Record<string, string>>

/**
 * The code of a page, and the function that imports one of its files. They stand beside each other as the page has them: what is run is the
 * page's own text, not a copy of it.
 */
export function pageFiles(page: string): {
  readonly files: PageFiles
  readonly load: (file: string) => Promise<unknown>
} {
  const text = readFileSync(join(root, 'docs', page), 'utf8')
  const blocks = [...text.matchAll(/^```ts ([\w-]+\.ts)\n([\s\S]*?)^```$/gm)]
  const files = Object.fromEntries(blocks.map(([, name = '', code = '']) => [name, code]))
  const folder = join(root, 'tools/.cache/pages', page.replace(/\.md$/, ''))
  mkdirSync(folder, { recursive: true })
  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code)
  return { files, load: (file) => import(/* @vite-ignore */ pathToFileURL(join(folder, file)).href) }
}
