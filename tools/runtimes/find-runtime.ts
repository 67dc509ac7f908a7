import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const CACHE = resolve(import.meta.dirname, '../../.cache/runtimes')

/** Runtimes that npm has, with the file to run. Exact: a new one is an edit, not a surprise. */
const RUNTIMES = {
  'node-20': { spec: 'node@20.20.2', program: 'node/bin/node' },
  'node-22': { spec: 'node@22.23.3', program: 'node/bin/node' },
  'node-24': { spec: 'node@24.21.0', program: 'node/bin/node' },
  'node-26': { spec: 'node@26.10.0', program: 'node/bin/node' },
  bun: { spec: 'bun@1.4.5', program: 'bun/bin/bun.exe' },
  deno: { spec: 'deno@2.9.6', program: 'deno/deno' },
  workerd: { spec: 'workerd@1.20261117.1', program: 'workerd/bin/workerd' },
} as const

export type RuntimeName = keyof typeof RUNTIMES

export interface Runtime {
  /** Like `node@20.20.2`. */
  readonly spec: string
  /** The program; run it with a full path. */
  readonly path: string
}

/**
 * Where a JavaScript runtime is, of an exact version; installed by npm into the checkout's cache when it is asked for the first time.
 *
 * An installation is 80 to 250 MB and takes 5 to 20 s, so it is printed. Rejects with what npm said.
 *
 * @example
 * const { path } = await findRuntime('workerd')
 */
export async function findRuntime(name: RuntimeName): Promise<Runtime> {
  const { spec, program } = RUNTIMES[name]
  // The tools run on one of them already.
  if (spec === `node@${process.versions.node}` && !process.versions.bun) return { spec, path: process.execPath }
  const folder = join(CACHE, spec.replace('@', '-'))
  const path = join(folder, 'node_modules', program)
  if (existsSync(path)) return { spec, path }
  console.log(`[runtimes] npm install ${spec}`)
  mkdirSync(CACHE, { recursive: true })
  // Installed aside and renamed when complete: several test processes may come here at once.
  const work = mkdtempSync(join(CACHE, `.${name}-`))
  try {
    await install(spec, work)
    if (!existsSync(join(work, 'node_modules', program))) throw new Error(`there is no node_modules/${program} in it.`)
    publish(work, folder, path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${spec} could not be installed: ${reason}\nInstall it into ${folder} with: npm install ${spec}`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return { spec, path }
}

async function install(spec: string, folder: string): Promise<void> {
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error', spec]
  await promisify(execFile)('npm', args, { cwd: folder, timeout: 300_000 })
}

function publish(work: string, folder: string, path: string): void {
  try {
    renameSync(work, folder)
  } catch (error) {
    // Another process was first, and its copy is as good.
    if (!existsSync(path)) throw error
  }
}
