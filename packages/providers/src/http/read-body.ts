import type { Deadline } from './deadline.ts'

/** What a body may be, and the errors when it is not. */
export interface BodyLimits {
  readonly maxBytes: number
  readonly tooLarge: () => Error
  readonly broken: (cause: unknown) => Error
}

/**
 * The chunks of a body until its end, its cap or the deadline, counted as they arrive: decompressed. Whatever ends it also ends the
 * connection's part in it.
 */
export async function* readBody(
  response: Response,
  deadline: Deadline,
  { maxBytes, tooLarge, broken }: BodyLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = response.body?.getReader()
  const announced = announcedLength(response)
  let received = 0
  let isWhole = false
  try {
    if (announced > maxBytes) throw tooLarge()
    while (reader) {
      const { done, value } = await deadline.race(reader.read()).catch((error: unknown) => {
        throw deadline.passed ? error : broken(error)
      })
      if (done) break
      received += value.byteLength
      if (received > maxBytes) throw tooLarge()
      yield value
    }
    isWhole = true
    // Not every runtime says that a connection ended early.
    if (reader && received < announced) throw broken(undefined)
  } finally {
    deadline.clear()
    // Not waited for: a stream that does not end when it is told to must not hold the caller.
    if (!isWhole) reader?.cancel().catch(() => undefined)
  }
}

/** What `Content-Length` says of a body that comes as it is; 0 when it says nothing that can be compared. */
function announcedLength({ headers }: Response): number {
  const length = headers.get('content-length')
  const isPlain = (headers.get('content-encoding') ?? 'identity') === 'identity'
  return isPlain && length !== null && /^\d{1,15}$/.test(length) ? Number(length) : 0
}
