import { once } from 'node:events'
import { connect } from 'node:net'
import { redisCommand } from '@ipguard/tools'

/** How many commands came from connections, by what they are: a script has its own name. Those that scripts made are apart. */
export interface Commands {
  readonly sent: ReadonlyMap<string, number>
  readonly inScripts: number
}

export interface RedisMonitor {
  /** Those that the server got while `work` was under way. */
  readonly during: (work: () => Promise<void>) => Promise<Commands>
  readonly close: () => void
}

/** `+1339518083.107412 [0 127.0.0.1:60866] "evalsha" "sha" ...`, or `[0 lua]` for what a script did. */
const LINE = /^\+[\d.]+ \[\d+ (\S+)\] "([^"]*)"(?: "([^"]*)")?/
const SCRIPTS: ReadonlySet<string> = new Set(['evalsha', 'eval', 'fcall'])

/** By MONITOR: INFO commandstats adds what scripts do to what was sent. */
export async function monitorRedis(port: number): Promise<RedisMonitor> {
  const socket = connect({ port, host: '127.0.0.1' })
  let sent = new Map<string, number>()
  let inScripts = 0
  let rest = ''
  let marks = 0
  let marked: { readonly text: string; readonly resolve: () => void } | undefined

  const read = (line: string): void => {
    const [, from, name = '', first = ''] = LINE.exec(line) ?? []
    if (from === undefined) return
    if (from === 'lua') inScripts++
    else if (marked && first === marked.text) marked.resolve()
    else {
      const command = name.toLowerCase()
      const what = SCRIPTS.has(command) ? `${command} ${first}` : command
      sent.set(what, (sent.get(what) ?? 0) + 1)
    }
  }
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) read(line)
  })
  await once(socket, 'connect')
  socket.write('MONITOR\r\n')

  /** Resolves when all that the server got before has been read here. */
  const mark = async (): Promise<void> => {
    const text = `mark-${++marks}`
    const seen = new Promise<void>((resolve) => {
      marked = { text, resolve }
    })
    await redisCommand(port, 'ECHO', text)
    await seen
  }
  await mark()
  return {
    async during(work) {
      await mark()
      sent = new Map()
      inScripts = 0
      await work()
      await mark()
      return { sent, inScripts }
    },
    close: () => socket.destroy(),
  }
}
