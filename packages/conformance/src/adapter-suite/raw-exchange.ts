import { connect } from 'node:net'

/** A request as it goes over the wire: header lines in order, repeated ones and odd bytes as written. */
export interface RawRequest {
  readonly method?: string
  /** The request target, as written. */
  readonly target: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** @default 'localhost' */
  readonly host?: string
  /** Sent with its `Content-Length`. */
  readonly body?: string
  /** Bytes of another protocol that follow the head at once. */
  readonly early?: string
  /** Sends from this address of the machine. */
  readonly from?: string
}

/** An answer as it came over the socket: header names in lower case, the body whole. */
export interface RawAnswer {
  readonly status: number
  /** By name in lower case; repeated lines joined by `", "`. */
  readonly headers: Readonly<Record<string, string>>
  /** Decoded from chunks, if it came in any. */
  readonly body: string
  /** Every byte but the `Date` line, whose value is the time. */
  readonly bytes: string
}

/** Where a server listens. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** Sends one request over a connection of its own and reads the answer to its end. */
export function rawExchange(server: Target, request: RawRequest): Promise<RawAnswer> {
  const { method = 'GET', target, early = '', from } = request
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ host: server.host, port: server.port, ...(from !== undefined && { localAddress: from }) })
    socket.setTimeout(5_000, () => socket.destroy(new Error(`No answer to ${method} ${target} within 5 s.`)))
    socket.on('data', (chunk) => void chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(parseAnswer(Buffer.concat(chunks), method)))
    socket.write(encodeRequest(request, early === '' ? ['Connection: close'] : []))
    socket.write(early)
  })
}

/** A request's bytes; `more` are header lines behind its `Host`. */
export function encodeRequest(request: RawRequest, more: readonly string[] = []): Buffer {
  const { method = 'GET', target, headers = [], host = 'localhost', body = '' } = request
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...more]
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  const bytes = Buffer.from(body)
  if (bytes.length > 0) lines.push(`Content-Length: ${bytes.length}`)
  return Buffer.concat([encodeHead(lines), bytes])
}

/** HTTP carries bytes: text beyond them goes as UTF-8. */
function encodeHead(lines: readonly string[]): Buffer {
  const head = `${lines.join('\r\n')}\r\n\r\n`
  return Buffer.from(head, /[\u0100-\uffff]/.test(head) ? 'utf8' : 'latin1')
}

export function parseAnswer(all: Buffer, method: string): RawAnswer {
  const end = all.indexOf('\r\n\r\n')
  const [first = '', ...lines] = all.subarray(0, Math.max(0, end)).toString('latin1').split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  const rest = all.subarray(end + 4)
  const chunked = headers['transfer-encoding'] === 'chunked' && method !== 'HEAD'
  return {
    status: Number(first.split(' ')[1] ?? 0),
    headers,
    body: (chunked ? unchunk(rest) : rest).toString('utf8'),
    bytes: all.toString('latin1').replace(/\r\nDate: [^\r]*/i, ''),
  }
}

function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16)
    if (!(size > 0)) break
    parts.push(bytes.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
  return Buffer.concat(parts)
}
