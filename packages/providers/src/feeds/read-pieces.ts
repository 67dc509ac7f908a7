/** Bytes of a list, or its text, as they come. */
export type FeedBody = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>

/** Bytes that are looked at in one go: some hundred lines, a fraction of a millisecond. */
const PIECE = 16_384

/** The bytes of a body in pieces of bounded size, however large the chunks are that it comes in. */
export async function* readPieces(body: FeedBody): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder()
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      // Half a surrogate pair at the end of a piece would become another sign, and stands in no list.
      yield typeof chunk === 'string' ? encoder.encode(chunk.slice(at, at + PIECE)) : chunk.subarray(at, at + PIECE)
    }
  }
}
