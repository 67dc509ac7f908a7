import { once } from 'node:events'
import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'

export interface Http2Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One connection of HTTP/2. */
export interface Http2Client {
  /** One stream; undefined where the server or HTTP/2 itself takes no such request. */
  readonly ask: (headers: OutgoingHttpHeaders, body?: string) => Promise<Http2Answer | undefined>
  readonly session: ClientHttp2Session
}

export function http2Client(port: number): Http2Client {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {}) // told by the streams
  return {
    session,
    async ask(headers, body) {
      try {
        const stream = session.request(headers).setEncoding('utf8')
        stream.end(body)
        const [answered] = (await once(stream, 'response')) as [IncomingHttpHeaders] // what this event is documented to carry
        let text = ''
        for await (const chunk of stream) text += String(chunk)
        return { status: Number(answered[':status']), headers: answered, body: text }
      } catch (error) {
        if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_HTTP2_')) return undefined
        throw error
      }
    },
  }
}
