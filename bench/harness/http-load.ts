import { connect, type Socket } from 'node:net'

/**
 * Sends `count` requests over some keep-alive connections, each the next one when the last is answered, and resolves when all are. Answers
 * the number of those that carried a header of a limit, `RateLimit` or an older form. Every response must be a 200 with a Content-Length.
 */
export async function sendLoad(
  port: number,
  requests: readonly Buffer[],
  count: number,
  connections: number,
): Promise<number> {
  let sent = 0
  let limited = 0
  const work = async (): Promise<void> => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const next = responsesOf(socket)
    while (sent < count) {
      socket.write(requests[sent++ % requests.length] as Buffer) // inside
      const head = await next()
      if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`The server answered ${head.split('\r\n')[0]}.`)
      if (/^(x-)?ratelimit[-a-z]*:/im.test(head)) limited++
    }
    socket.destroy()
  }
  await Promise.all(Array.from({ length: connections }, work))
  return limited
}

/** The heads of the responses, one for each call; a second call only after the first has resolved. */
function responsesOf(socket: Socket): () => Promise<string> {
  let held = ''
  let resolve: (head: string) => void = () => {}
  let reject: (error: Error) => void = () => {}
  socket.setEncoding('latin1')
  socket.on('error', (error) => reject(error))
  socket.on('close', () => reject(new Error('The server closed the connection.')))
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
    })
}
