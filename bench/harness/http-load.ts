import { connect, type Socket } from 'node:net'

export interface HttpLoad {
  /**
   * Sends `count` requests, over each connection the next one when the last is answered, and resolves when all are. Answers the number of
   * those that carried a header of a limit, `RateLimit` or an older form. Every response must be a 200 with a Content-Length.
   */
  readonly send: (count: number) => Promise<number>
  readonly close: () => void
}

/** Keep-alive connections to one server, which stay open from one load to the next: opening them is not what is measured. */
export function httpLoad(port: number, requests: readonly Buffer[], connections: number): HttpLoad {
  const lines = Array.from({ length: connections }, () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    return { socket, next: responsesOf(socket) }
  })
  let visit = 0
  return {
    async send(count) {
      let sent = 0
      let limited = 0
      const work = async ({ socket, next }: (typeof lines)[number]): Promise<void> => {
        while (sent < count) {
          sent++
          socket.write(requests[visit++ % requests.length] as Buffer) // inside
          const head = await next()
          if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`The server answered ${head.split('\r\n')[0]}.`)
          if (/^(x-)?ratelimit[-a-z]*:/im.test(head)) limited++
        }
      }
      // A client that sleeps has to be woken for each answer, which the server's write pays for: the slower a server, the more of that.
      let done = false
      const stayAwake = (): void => {
        if (!done) setImmediate(stayAwake)
      }
      stayAwake()
      try {
        await Promise.all(lines.map(work))
      } finally {
        done = true
      }
      return limited
    },
    close() {
      for (const { socket } of lines) socket.destroy()
    },
  }
}

/** The heads of the responses, one for each call; a second call only after the first has resolved. */
function responsesOf(socket: Socket): () => Promise<string> {
  let held = ''
  let resolve: (head: string) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const closed = new Error('The server closed the connection.')
  socket.setEncoding('latin1')
  socket.on('error', (error) => reject(error))
  socket.on('close', () => reject(closed))
  socket.on('data', (chunk: string) => {
    held += chunk
    const end = held.indexOf('\r\n\r\n')
    if (end < 0) return
    const length = Number(/^content-length: (\d+)/im.exec(held)?.[1] ?? Number.NaN)
    if (Number.isNaN(length)) reject(new Error('A response had no Content-Length.'))
    if (held.length < end + 4 + length) return
    const head = held.slice(0, end)
    held = held.slice(end + 4 + length)
    resolve(head)
  })
  return () =>
    new Promise((one, other) => {
      resolve = one
      reject = other
      // It may have been closed while nothing was asked.
      if (socket.destroyed) reject(closed)
    })
}
