import { connect } from 'node:net'

/** Longer than any command that the starters send takes; a frozen server answers nothing. */
const TIMEOUT = 5_000
const CR = 13

/**
 * Sends one command to a Redis server on 127.0.0.1 over a connection of its own, and answers its reply: a string, a
 * number, null, or an array of these. It follows no redirect of a cluster.
 *
 * Rejects with the server's words when the reply is an error, and after 5 seconds without one. An error inside an array
 * is an `Error` in that place.
 *
 * @example
 * await redisCommand(redis.port, 'SET', 'key', 'value')
 */
export function redisCommand(port: number, ...args: readonly (string | number)[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const fail = (error: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const words = `${args[0]} on 127.0.0.1:${port}`
    const timer = setTimeout(() => fail(new Error(`${words} had no reply in ${TIMEOUT} ms.`)), TIMEOUT)
    let received = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      try {
        const reply = parseReply(received)
        if (reply === undefined) return
        if (reply.value instanceof Error) return fail(reply.value)
        clearTimeout(timer)
        socket.destroy()
        resolve(reply.value)
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)))
      }
    })
    socket.once('error', fail)
    socket.once('end', () => fail(new Error(`${words}: the connection was closed before a reply.`)))
    socket.write(encode(args))
  })
}

function encode(args: readonly (string | number)[]): string {
  const parts = args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`)
  return `*${args.length}\r\n${parts.join('')}`
}

export interface Reply {
  readonly value: unknown
  /** Where the next reply begins. */
  readonly next: number
}

/** Reads one reply (RESP2) of a buffer from `at` on; undefined when it is not complete yet. */
export function parseReply(buffer: Buffer, at = 0): Reply | undefined {
  const end = buffer.indexOf(CR, at)
  if (end < 0 || end + 2 > buffer.length) return undefined
  const line = buffer.toString('utf8', at + 1, end)
  const next = end + 2
  const type = String.fromCharCode(buffer[at] ?? 0)
  switch (type) {
    case '+':
      return { value: line, next }
    case '-':
      return { value: new Error(line), next }
    case ':':
      return { value: Number(line), next }
    case '$':
      return parseBulk(buffer, next, Number(line))
    case '*':
      return parseArray(buffer, next, Number(line))
    default:
      throw new Error(`This is no reply of a Redis server: ${JSON.stringify(type + line.slice(0, 40))}.`)
  }
}

function parseBulk(buffer: Buffer, start: number, length: number): Reply | undefined {
  if (length < 0) return { value: null, next: start }
  const end = start + length
  return buffer.length < end + 2 ? undefined : { value: buffer.toString('utf8', start, end), next: end + 2 }
}

function parseArray(buffer: Buffer, start: number, length: number): Reply | undefined {
  if (length < 0) return { value: null, next: start }
  const values: unknown[] = []
  let next = start
  while (values.length < length) {
    const item = parseReply(buffer, next)
    if (item === undefined) return undefined
    values.push(item.value)
    next = item.next
  }
  return { value: values, next }
}
