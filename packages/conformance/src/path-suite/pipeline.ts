import { connect, type Socket } from 'node:net'
import type { Target } from '../adapter-suite/raw-exchange.ts'

/** A request without a body, as it goes over the wire. */
export interface PipelinedRequest {
  readonly method: 'GET' | 'HEAD'
  readonly target: string
}

export interface PipelinedAnswer {
  /** 0: the connection was closed in place of an answer. */
  readonly status: number
  /** Status line and headers. */
  readonly head: string
}

/** Connections at once. */
const LANES = 12
/** Requests on their way on one connection: servers hang listeners for each on its socket, and Node warns beyond ten. */
const WINDOW = 8

/**
 * Sends many requests over a few connections, several at once on each, and answers what came back, in the order of the requests.
 *
 * A server that cannot parse one of them closes the connection, and may do so before it has answered those in front of it: what has no
 * answer of its own then is sent again, in smaller and smaller parts, down to that one alone.
 */
export async function pipeline(
  server: Target,
  requests: readonly PipelinedRequest[],
): Promise<readonly PipelinedAnswer[]> {
  const answers: PipelinedAnswer[] = []
  let taken = 0
  const lane = async (): Promise<void> => {
    let socket: Socket | undefined
    while (taken < requests.length) {
      let next = taken
      const end = Math.min(requests.length, next + WINDOW)
      taken = end
      for (let size = WINDOW; next < end; ) {
        socket = socket && !socket.destroyed ? socket : await open(server)
        const batch = requests.slice(next, Math.min(end, next + size))
        const received = await exchange(socket, batch)
        for (const answer of received) answers[next++] = answer
        size = received.length === batch.length ? Math.min(WINDOW, size * 2) : Math.ceil(size / 2)
        if (received.length === batch.length) continue
        socket.destroy()
        if (batch.length === 1) answers[next++] = { status: 0, head: '' }
      }
    }
    socket?.destroy()
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return answers
}

function open({ host, port }: Target): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/** The answers that come before the connection ends. One that ends it may be that to a later request. */
function exchange(socket: Socket, requests: readonly PipelinedRequest[]): Promise<readonly PipelinedAnswer[]> {
  return new Promise((resolve, reject) => {
    const answers: PipelinedAnswer[] = []
    let rest = ''
    const done = (): void => {
      socket.removeAllListeners()
      socket.setTimeout(0)
      socket.on('error', ignore)
      resolve(answers)
    }
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1')
      let at = 0
      for (let request = requests[answers.length]; request; request = requests[answers.length]) {
        const read = readAnswer(rest, at, request.method === 'HEAD')
        if (!read) break
        at = read.end
        if (!read.closes || requests.length === 1) answers.push(read.answer)
        if (!read.closes) continue
        socket.destroy()
        return done()
      }
      rest = rest.slice(at)
      if (answers.length === requests.length) done()
    })
    socket.on('error', done)
    socket.on('close', done)
    socket.setTimeout(20_000, () => reject(new Error(`No answer to ${requests[answers.length]?.target} within 20 s.`)))
    const lines = requests.map(({ method, target }) => `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    socket.write(lines.join(''), 'utf8')
  })
}

function readAnswer(
  text: string,
  start: number,
  isHead: boolean,
): { readonly answer: PipelinedAnswer; readonly end: number; readonly closes: boolean } | undefined {
  const body = text.indexOf('\r\n\r\n', start) + 4
  if (body === 3) return undefined
  const head = text.slice(start, body)
  const status = Number(head.slice(9, 12))
  const length = isHead || status === 304 || status === 204 ? '0' : /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  // Ends with its last chunk; what the suites' handlers write holds no such line. Without either, with the connection.
  const chunked = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head)
  const last = chunked ? text.indexOf('\r\n0\r\n\r\n', body - 2) : 0
  const end = chunked ? (last < 0 ? Number.POSITIVE_INFINITY : last + 7) : body + Number(length ?? 0)
  if (end > text.length) return undefined
  const closes = /\r\nconnection: *close/i.test(head) || (length === undefined && !chunked)
  return { answer: { status, head }, end, closes }
}

function ignore(): void {}
