import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'
import { type RunningProcess, startProcess } from './start-process.ts'

export interface RunningExample extends RunningProcess {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
}

/**
 * Starts an example of this repository as its `npm start` does, on a port of its own, which it reads from `PORT`.
 *
 * @example
 * const site = await startExample(new URL('../app.ts', import.meta.url))
 */
export async function startExample(app: URL, env: Readonly<Record<string, string>> = {}): Promise<RunningExample> {
  const port = await freePort()
  const running = await startProcess({
    command: process.execPath,
    args: ['--conditions=@ipguard/source', fileURLToPath(app)],
    env: { ...env, PORT: String(port) },
    port,
  })
  return { ...running, url: `http://127.0.0.1:${port}` }
}
