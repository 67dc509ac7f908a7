import type { RequestHandle } from '@ipguard/fetch'

/** What a handler of the site does with a request, by its query: `?strike`, `?stream`, or else it tells who the client is, and the body. */
export async function siteAnswer(request: Request, handle: RequestHandle | undefined): Promise<Response> {
  const { searchParams } = new URL(request.url)
  if (searchParams.has('strike')) await handle?.strike()
  if (searchParams.has('stream')) return new Response(streamOf(['one', 'two', 'three']))
  return Response.json({ client: handle?.decision.client ?? null, body: await request.text() })
}

/** Each chunk is made when it is asked for, in a turn of its own: Bun makes one body of chunks that are there at once. */
export function streamOf(chunks: readonly string[]): ReadableStream<Uint8Array> {
  const left = chunks.values()
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 0))
      const { done, value } = left.next()
      if (done) controller.close()
      else controller.enqueue(new TextEncoder().encode(value))
    },
  })
}
