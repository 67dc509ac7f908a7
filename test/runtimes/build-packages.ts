import { spawnSync } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/** Builds those of these packages whose sources are newer than their `dist`, in the order of their dependencies. */
export function buildPackages(names: readonly string[]): void {
  const stale = names.filter(isStale)
  if (stale.length === 0) return
  console.log(`building ${stale.join(', ')}`)
  const filters = stale.flatMap((name) => ['--filter', `./packages/${name}`])
  const { status, stdout, stderr } = spawnSync('pnpm', ['-r', ...filters, 'run', 'build'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`The build failed:\n${stdout}${stderr}`)
}

function isStale(name: string): boolean {
  const folder = join(root, 'packages', name)
  const made = join(folder, 'dist/index.js')
  if (!existsSync(made)) return true
  const { mtimeMs } = statSync(made)
  return globSync('src/**/*.ts', { cwd: folder }).some((file) => statSync(join(folder, file)).mtimeMs > mtimeMs)
}
