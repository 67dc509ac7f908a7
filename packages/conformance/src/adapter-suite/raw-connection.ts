import { connect, type Socket } from 'node:net'
import { encodeRequest, parseAnswer, type RawAnswer, type RawRequest, type Target } from './raw-exchange.ts'

/** A connection that stays open from one request to the next; where an answer says that it ends, the next request opens another. */
export interface RawConnection {
  /** Writes the requests at once, and reads their answers, which come in the same order. */
  readonly send: (...requests: readonly RawRequest[]) => Promise<readonly RawAnswer[]>
  readonly close: () => void
}

export function rawConnection({ host, port }: Target): RawConnection {
  let socket: Socket | undefined
  let bytes: Buffer = Buffer.alloc(0)
  let onBytes = (): void => {}
  let onEnd = (_why: Error): void => {}

  function open(): Socket {
    const opened = connect({ host, port })
    opened.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      onBytes()
    })
    opened.on('error', (error) => onEnd(error))
    opened.on('close', () => onEnd(new Error('The connection ended before every request had its answer.')))
    return opened.setTimeout(5_000, () => opened.destroy(new Error('No answer within 5 s.')))
  }

  async function send(...requests: readonly RawRequest[]): Promise<readonly RawAnswer[]> {
    socket ??= open()
    socket.write(Buffer.concat(requests.map((request) => encodeRequest(request))))
    const answers: RawAnswer[] = []
    await new Promise<void>((resolve, reject) => {
      onEnd = reject
      onBytes = () => {
        for (const { method = 'GET' } of requests.slice(answers.length)) {
          const end = endOfAnswer(bytes, method)
          if (end === undefined) return
          answers.push(parseAnswer(bytes.subarray(0, end), method))
          bytes = bytes.subarray(end)
        }
        resolve()
      }
    })
    if (answers.at(-1)?.headers.connection?.toLowerCase() === 'close') close()
    return answers
  }

  function close(): void {
    socket?.destroy()
    socket = undefined
    bytes = Buffer.alloc(0)
  }

  return { send, close }
}

/** Where the first answer of these bytes ends; undefined while it is not whole. */
function endOfAnswer(bytes: Buffer, method: string): number | undefined {
  const body = bytes.indexOf('\r\n\r\n') + 4
  if (body < 4) return undefined
  const { status, headers } = parseAnswer(bytes.subarray(0, body), method)
  if (method === 'HEAD' || status === 204 || status === 304) return body
  if (headers['transfer-encoding'] !== 'chunked') {
    const end = body + Number(headers['content-length'])
    return end <= bytes.length ? end : undefined
  }
  for (let at = body; ; ) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16)
    at = line + 2 + size + 2
    if (bytes.length < at) return undefined
    if (size === 0) return at
  }
}
