import { type ChildProcess, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { untilStopped } from './until-stopped.ts'

export interface ProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** The process is ready when this port of 127.0.0.1 accepts a connection, or when `ready` says so. */
  readonly port: number
  /** For a server that takes no connections: asked every 20 ms. @default the port accepts a connection */
  readonly ready?: () => Promise<boolean>
  /** Milliseconds until it must be ready. @default 10000 */
  readonly timeout?: number
}

export interface RunningProcess {
  readonly pid: number
  readonly port: number
  /** What it has written to stdout and stderr so far. */
  readonly output: () => string
  /** Sends it a signal, and nobody else: false when it has ended, even if its pid has been given away since. SIGSTOP has worked by then. */
  readonly signal: (name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL') => boolean
  /** Resolves when it is gone, for whatever reason. */
  readonly closed: Promise<void>
  /** Ends it by its pid and waits until it is gone, also when it was frozen. A second call does nothing. */
  readonly stop: () => Promise<void>
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Starts a server and answers once it accepts connections.
 *
 * Throws what the process wrote when it ends early or is not ready in time; nothing is left behind then. It is also
 * ended when this process exits.
 *
 * @example
 * const port = await freePort()
 * const redis = await startProcess({ command: program.path, env: program.env, args: ['--port', String(port)], port })
 * await redis.stop()
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { command, args, env, port, ready = () => accepts(port), timeout = 10_000 } = options
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-20_000)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  running.add(child)

  let ended: string | undefined
  const closed = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      ended = error.message
      resolve()
    })
    child.once('close', (code, signal) => {
      ended ??= signal ?? `exit code ${code}`
      resolve()
    })
  }).then(() => void running.delete(child))

  const stop = async (): Promise<void> => {
    if (ended !== undefined) return closed
    child.kill('SIGTERM')
    // A stopped process takes the other signal only when it goes on.
    child.kill('SIGCONT')
    const force = setTimeout(() => child.kill('SIGKILL'), 5_000)
    await closed
    clearTimeout(force)
  }

  const deadline = Date.now() + timeout
  while (!(await ready()) || ended !== undefined) {
    if (ended !== undefined || Date.now() > deadline) {
      const reason = ended ?? `nothing accepts on 127.0.0.1:${port} after ${timeout} ms`
      await stop()
      throw new Error(`${command} did not start: ${reason}.\n${output}`)
    }
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 20))])
  }
  // A child without a pid has failed to spawn, and that was thrown above.
  const pid = child.pid ?? 0
  const signal: RunningProcess['signal'] = (name) => {
    const sent = child.kill(name)
    if (sent && name === 'SIGSTOP') untilStopped(pid)
    return sent
  }
  return { pid, port, output: () => output, signal, closed, stop }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
