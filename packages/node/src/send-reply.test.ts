import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { sendReply, setHeaders } from './send-reply.ts'

const response = (): ServerResponse => new ServerResponse(new IncomingMessage(new Socket()))

it('adds to the lists that others have begun, and replaces the rest', () => {
  const res = response()
  res.setHeader('Vary', 'Origin')
  res.setHeader('Access-Control-Expose-Headers', ['X-A', 'RateLimit'])
  res.setHeader('Cache-Control', 'public')
  setHeaders(res, {
    Vary: 'Accept',
    'Access-Control-Expose-Headers': 'RateLimit, Retry-After',
    'Cache-Control': 'no-store',
  })
  expect(res.getHeaders()).toEqual({
    vary: 'Origin, Accept',
    'access-control-expose-headers': 'X-A, RateLimit, Retry-After',
    'cache-control': 'no-store',
  })
})

it('counts the length of a body in bytes', () => {
  const res = response()
  sendReply(res, { status: 403, headers: {}, body: 'é' })
  expect([res.statusCode, res.getHeader('content-length'), res.writableEnded]).toEqual([403, 2, true])
})

it('leaves an answer alone that has begun', () => {
  const res = response()
  res.writeHead(200)
  sendReply(res, { status: 403, headers: { 'X-A': '1' }, body: 'no' })
  setHeaders(res, { 'X-A': '1' })
  expect([res.statusCode, res.writableEnded]).toEqual([200, false])
})

it('throws for a header that HTTP cannot carry', () => {
  expect(() => sendReply(response(), { status: 403, headers: { 'X-A': 'a\r\nB: c' }, body: '' })).toThrow(TypeError)
})
