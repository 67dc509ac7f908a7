import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** What a source answers. */
export interface StandInAnswer {
  /** @default 200 */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A text is sent as it stands, anything else as JSON. */
  readonly body: unknown
}

/** What a source was asked. */
export interface StandInRequest {
  readonly method: string
  /** Path and query, as they were sent. */
  readonly target: string
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Target and body, decoded. */
  readonly text: string
}

/** Answers one request; what it does not end stays open until the stand-in closes. */
export type Behaviour = (request: StandInRequest, response: ServerResponse) => void

/** A source on this machine that behaves as it is told. */
export interface StandIn {
  readonly url: string
  readonly requests: readonly StandInRequest[]
  /** From the next request on. */
  behave(behaviour: Behaviour): void
  /** Answers once that many requests have come. */
  asked(count: number): Promise<void>
  /** Answers once the other side has given up that many of its requests. */
  left(count: number): Promise<void>
  close(): Promise<void>
}

/** Starts a stand-in on a free port of 127.0.0.1. */
export async function startStandIn(initial: Behaviour): Promise<StandIn> {
  const requests: StandInRequest[] = []
  const waiting = new Set<() => void>()
  let behaviour = initial
  let left = 0
  const changed = (): void => {
    for (const check of waiting) check()
  }
  const until = async (isDone: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!isDone()) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  const server = createServer((message, response) => {
    response.on('close', () => {
      if (!response.writableFinished) left++
      changed()
    })
    // Who asked may go away at any time: that is part of what is tested.
    response.on('error', () => undefined)
    void readRequest(message).then((request) => {
      requests.push(request)
      behaviour(request, response)
      changed()
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The stand-in has no port.')
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    behave(next) {
      behaviour = next
    },
    asked: async (count) => until(() => requests.length >= count),
    left: async (count) => until(() => left >= count),
    close: async () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Writes an answer whole. */
export function writeAnswer(response: ServerResponse, { status = 200, headers = {}, body }: StandInAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(bodyText(body))
}

/** A body as it is sent. */
export function bodyText(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

async function readRequest(message: IncomingMessage): Promise<StandInRequest> {
  const chunks: Buffer[] = []
  // A request that breaks off is judged by what has come of it.
  try {
    for await (const chunk of message) chunks.push(Buffer.from(chunk as Uint8Array))
  } catch {}
  const { method = '', url: target = '', headers } = message
  const body = Buffer.concat(chunks).toString('utf8')
  return {
    method,
    target,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    body,
    text: decode(`${target}\n${body}`),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
