import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import type { Program } from './runtimes.ts'

const root = resolve(import.meta.dirname, '../..')

/** The packages as they are published, also for drivers of tests that import the sources beside them. */
const built: Plugin = {
  name: 'built packages',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.\/src\/index\.ts$/ }, ({ resolveDir, path }) => {
      const file = join(resolveDir, path).replace(/\/src\/index\.ts$/, '/dist/index.js')
      if (!existsSync(file)) throw new Error(`${file} is not there: run the script \`build\`.`)
      return { path: file, sideEffects: false }
    })
  },
}

/** Frameworks stay as they are installed, each found from the file that imports it: the runtime loads them itself. */
const installed: Plugin = {
  name: 'installed frameworks',
  setup({ onResolve, resolve: find }) {
    onResolve({ filter: /^[\w@]/ }, async ({ kind, path, resolveDir, pluginData }) => {
      if (kind === 'entry-point' || pluginData === 'asked' || /^(?:node:|@ipguard\/)/.test(path)) return undefined
      const found = await find(path, { kind, resolveDir, pluginData: 'asked' })
      return { ...found, external: true }
    })
  },
}

/**
 * One file of everything that a program imports, and its path.
 *
 * The packages are taken from their `dist`: the condition that leads to the sources is not set. On `'any'` an import of a module of Node is
 * an error, and frameworks are in the file; on `'node'` they are left to the runtime.
 */
export async function bundle({ file, platform }: Program): Promise<string> {
  const outfile = join(import.meta.dirname, '.cache', file.replace(/\.ts$/, '.mjs'))
  await build({
    entryPoints: [join(import.meta.dirname, 'programs', file)],
    outfile,
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
    ...(platform === 'node'
      ? { platform: 'node', plugins: [built, installed] }
      : { platform: 'neutral', mainFields: ['module', 'main'], plugins: [built] }),
  })
  return outfile
}
