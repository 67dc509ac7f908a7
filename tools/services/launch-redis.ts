import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Program } from './find-program.ts'
import { redisCommand } from './redis-command.ts'
import { redisPort } from './redis-port.ts'
import { type RunningProcess, startProcess } from './start-process.ts'
import { tied } from './tied.ts'
import { waitUntil } from './wait-until.ts'

export interface RedisServer {
  /** Another one after each restart. */
  readonly pid: number
  readonly port: number
  /** `redis://127.0.0.1:<port>` */
  readonly url: string
  /** Where it writes its files. */
  readonly folder: string
  /** Its log so far, all restarts included. */
  readonly output: () => string
  /** Stops it in the middle of whatever it does: connections stay open and nothing is answered. Throws when it is gone. */
  readonly freeze: () => void
  /** Lets a frozen one go on. Throws when it is gone. */
  readonly thaw: () => void
  /** Ends it as a crash would, and waits until it is gone; its port and folder stay. */
  readonly kill: () => Promise<void>
  /** Starts it again with the same port and folder, other arguments if given; one that runs is shut down before. */
  readonly restart: (args?: readonly string[]) => Promise<void>
  /** Shuts it down, also when frozen or gone, and removes the folder unless that was given. */
  readonly stop: () => Promise<void>
}

interface LaunchOptions {
  readonly program: Program
  readonly args: readonly string[]
  readonly port?: number | undefined
  readonly folder?: string | undefined
  /** The whole command line. */
  readonly line: (
    place: { readonly port: number; readonly folder: string },
    args: readonly string[],
  ) => readonly string[]
}

/** What all starters of Redis servers share: port, folder, and a life of freezes, kills and restarts. */
export async function launchRedis(options: LaunchOptions): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'ipguard-redis-'))
    const port = options.port ?? (await redisPort())
    const remove = (): void => {
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    }
    try {
      const start = (args: readonly string[]): Promise<RunningProcess> =>
        startReady(options.program, port, options.line({ port, folder }, args))
      return serverOf(await start(options.args), { port, folder, args: options.args, start, remove })
    } catch (error) {
      remove()
      // Somebody else took the port in between.
      const taken = String(error).includes('Address already in use')
      if (!taken || attempt === 3 || options.port !== undefined) throw error
    }
  }
}

interface Life {
  readonly port: number
  readonly folder: string
  readonly args: readonly string[]
  readonly start: (args: readonly string[]) => Promise<RunningProcess>
  readonly remove: () => void
}

function serverOf(first: RunningProcess, { port, folder, args, start, remove }: Life): RedisServer {
  let current = first
  let earlier = ''
  let latest = args
  const send = (name: 'SIGSTOP' | 'SIGCONT'): void => {
    if (!current.signal(name)) throw new Error(`The server on 127.0.0.1:${port} is gone: no ${name}.`)
  }
  return {
    get pid() {
      return current.pid
    },
    port,
    url: `redis://127.0.0.1:${port}`,
    folder,
    output: () => earlier + current.output(),
    freeze: () => send('SIGSTOP'),
    thaw: () => send('SIGCONT'),
    async kill() {
      current.signal('SIGKILL')
      await current.closed
    },
    async restart(next = latest) {
      await current.stop()
      const log = current.output()
      latest = next
      current = await start(next)
      earlier += log
    },
    async stop() {
      await current.stop()
      remove()
    },
  }
}

/** Answers when the very process that was started here takes commands, and its data are loaded. */
async function startReady(program: Program, port: number, line: readonly string[]): Promise<RunningProcess> {
  const server = await startProcess({ ...tied(program.path, line), env: program.env, port })
  let gone = false
  const closed = server.closed.then(() => {
    gone = true
  })
  try {
    const ready = (): Promise<boolean> => Promise.race([answers(server), closed.then(() => false)])
    await waitUntil(`the server on 127.0.0.1:${port} is ready`, async () => (await ready()) || gone)
  } catch (error) {
    await server.stop()
    throw error
  }
  if (gone) throw new Error(`${program.path} did not stay.\n${server.output()}`)
  return server
}

async function answers({ pid, port }: RunningProcess): Promise<boolean> {
  try {
    // By its pid: what accepts could be another server that took the port first.
    const info = String(await redisCommand(port, 'INFO'))
    return info.includes(`process_id:${pid}\r\n`) && !info.includes('\r\nloading:1\r\n')
  } catch (error) {
    // It is up, and a password was asked for in the arguments.
    return String(error).includes('NOAUTH')
  }
}
