import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, type ProgramName } from './find-program.ts'
import { freePort } from './free-port.ts'
import { startProcess } from './start-process.ts'
import { tied } from './tied.ts'

/** Where a server that is started may listen and write. */
export interface Place {
  /** A free port of 127.0.0.1. */
  readonly port: number
  /** A temporary folder of its own, which goes with it. */
  readonly folder: string
}

export interface ConfiguredServer {
  readonly pid: number
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** What it has written to its logs so far. */
  readonly output: () => string
  readonly stop: () => Promise<void>
}

/**
 * Starts a program that listens where its configuration says; `prepare` writes that into the folder and answers the arguments and what is
 * added to the environment. Tries again, on another port, when somebody else took the port in between.
 */
export async function startConfigured(
  name: ProgramName,
  prepare: (place: Place) => { readonly args: readonly string[]; readonly env?: Readonly<Record<string, string>> },
): Promise<ConfiguredServer> {
  const program = findProgram(name)
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), `ipguard-${name}-`))
    const remove = (): void => rmSync(folder, { recursive: true, force: true })
    try {
      const port = await freePort()
      const { args, env } = prepare({ port, folder })
      const server = await startProcess({ ...tied(program.path, args), env: { ...program.env, ...env }, port })
      const stop = async (): Promise<void> => {
        await server.stop()
        remove()
      }
      return { pid: server.pid, port, url: `http://127.0.0.1:${port}`, output: server.output, stop }
    } catch (error) {
      remove()
      if (attempt === 3 || !/address already in use/i.test(String(error))) throw error
    }
  }
}
