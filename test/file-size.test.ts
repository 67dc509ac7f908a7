import { globSync } from 'node:fs'
import { expect, it } from 'vitest'
import { read, root } from './workspace.ts'

const IGNORED: ReadonlySet<string> = new Set(['node_modules', 'dist', '.cache', '.next', 'coverage', 'data', '.git'])

it('no file is longer than 300 lines: data and tests aside, it has more than one job then', () => {
  const files = globSync('**/*.{ts,tsx,mts,mjs,js,cjs,lua,sh}', { cwd: root, exclude: (name) => IGNORED.has(name) })
  const long = [...files, '.ci/run']
    .filter((path) => !/\.test\.ts$|(^|\/)test\/|\.gen\.ts$/.test(path))
    .map((path) => ({ path, lines: read(path).trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > 300)
  expect(long).toEqual([])
})
