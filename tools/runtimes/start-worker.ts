import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { freePort } from '../services/free-port.ts'
import { type RunningProcess, startProcess } from '../services/start-process.ts'
import { findRuntime } from './find-runtime.ts'

/** The behaviour of this day; with no flag, so that there is nothing of Node in it. */
const COMPATIBILITY_DATE = '2026-11-01'

/**
 * Runs a Worker, one file that exports a default `{ fetch }`, on workerd: the runtime of Cloudflare Workers, on 127.0.0.1.
 *
 * `bindings` become text in `env`. As in a Worker that is called directly, nothing in front of it sets `CF-Connecting-IP`.
 *
 * @example
 * const worker = await startWorker('/tmp/worker.mjs', { GREETING: 'hello' })
 * await fetch(`http://127.0.0.1:${worker.port}/`)
 * await worker.stop()
 */
export async function startWorker(
  file: string,
  bindings: Readonly<Record<string, string>> = {},
): Promise<RunningProcess> {
  const { path } = await findRuntime('workerd')
  const port = await freePort()
  // Beside the script: the configuration names it relative to itself.
  const folder = mkdtempSync(join(dirname(file), '.workerd-'))
  const config = join(folder, 'config.capnp')
  writeFileSync(config, configOf(`../${basename(file)}`, port, bindings))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const worker = await startProcess({ command: path, args: ['serve', config], port })
    return { ...worker, stop: () => worker.stop().finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}

function configOf(script: string, port: number, bindings: Readonly<Record<string, string>>): string {
  const texts = Object.entries(bindings).map(
    ([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`,
  )
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed ${JSON.stringify(script)})],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [${texts.join(', ')}],
);
`
}
