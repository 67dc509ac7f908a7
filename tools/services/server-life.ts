import type { RunningProcess } from './start-process.ts'

/** What can be done to a server that was started for a test. */
export interface ServerLife {
  /** Another one after each restart. */
  readonly pid: number
  readonly output: () => string
  /** Stops it in the middle of whatever it does: nothing is answered. */
  readonly freeze: () => void
  readonly thaw: () => void
  /** Ends it as a crash would; its port stays its own until `stop`, and `restart` takes it again. */
  readonly kill: () => Promise<void>
  /** Starts it again on the same port; one that runs is ended before. */
  readonly restart: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Starts it the first time, too. `remove` clears away what it leaves, after `stop`. */
export async function serverLife(start: () => Promise<RunningProcess>, remove: () => void): Promise<ServerLife> {
  let current = await start()
  return {
    get pid() {
      return current.pid
    },
    output: () => current.output(),
    freeze: () => void current.signal('SIGSTOP'),
    thaw: () => void current.signal('SIGCONT'),
    async kill() {
      current.signal('SIGKILL')
      await current.closed
    },
    async restart() {
      await current.stop()
      current = await start()
    },
    async stop() {
      await current.stop()
      remove()
    },
  }
}
