import { once } from 'node:events'
import { connect } from 'node:net'
import { redisCommand } from '@ipguard/tools'

/** Commands that came from connections, by name; a script by its hash. What scripts themselves call is not among them. */
export type Sent = ReadonlyMap<string, number>

export interface Monitor {
  /** What the server was sent while `work` was under way, which sees it grow. */
  during(work: (sent: Sent) => Promise<unknown>): Promise<Sent>
  close(): void
}

/** `+1339518083.107412 [0 127.0.0.1:60866] "evalsha" "<sha>" ...`, Redis documentation, MONITOR. */
const LINE = /^\+[\d.]+ \[\d+ (\S+)\] "([^"]*)"(?: "([^"]*)")?/

/** Sees every command of a Redis as it comes. INFO commandstats would count what scripts call as if it had been sent. */
export async function startMonitor(port: number): Promise<Monitor> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  let sent = new Map<string, number>()
  let rest = ''
  let awaited: { readonly text: string; readonly seen: () => void } | undefined
  let marks = 0

  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, from, name = '', first = ''] = LINE.exec(line) ?? []
      if (from === undefined || from === 'lua') continue
      if (awaited && first === awaited.text) {
        awaited.seen()
        continue
      }
      const what = name.toLowerCase().startsWith('eval') ? `${name.toLowerCase()} ${first}` : name.toLowerCase()
      sent.set(what, (sent.get(what) ?? 0) + 1)
    }
  })
  await once(socket, 'connect')
  socket.write('MONITOR\r\n')

  /** Resolves when all is read that the server was sent before. */
  async function mark(): Promise<void> {
    const text = `mark-${++marks}`
    const seen = new Promise<void>((resolve) => {
      awaited = { text, seen: resolve }
    })
    await redisCommand(port, 'ECHO', text)
    await seen
  }

  await mark()
  return {
    async during(work) {
      await mark()
      sent = new Map()
      await work(sent)
      await mark()
      return new Map(sent)
    },
    close: () => socket.destroy(),
  }
}
