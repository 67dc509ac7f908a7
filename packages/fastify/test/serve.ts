import type { AddressInfo } from 'node:net'
import { type RawAnswer, type RawRequest, rawExchange } from '@ipguard/conformance'
import type { FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'

/** Starts an application for the length of a test; answers what sends requests to it. */
export async function serve(app: FastifyInstance): Promise<(request: RawRequest | string) => Promise<RawAnswer>> {
  onTestFinished(async () => {
    app.server.closeAllConnections()
    await app.close()
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return (request) =>
    rawExchange({ host: '127.0.0.1', port }, typeof request === 'string' ? { target: request } : request)
}
