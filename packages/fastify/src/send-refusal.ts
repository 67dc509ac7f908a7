import { validateHeaderName, validateHeaderValue } from 'node:http'
import { isListHeader, mergeList, type Reply } from '@ipguard/core'
import type { FastifyReply } from 'fastify'

/** Sends a refusal by Fastify's own means, so that `onSend` and `onResponse` hooks see it. Headers set before stay, such as those of CORS. */
export function sendRefusal(reply: FastifyReply, { status, headers, body }: Reply): void {
  if (reply.sent || reply.raw.headersSent) return
  // Fastify would find out when it is too late to answer anything else.
  for (const name of Object.keys(headers)) {
    validateHeaderName(name)
    validateHeaderValue(name, headers[name] ?? '')
  }
  reply.code(status)
  setReplyHeaders(reply, headers)
  // As text, JSON of `onRefused` would be given a charset. HEAD has no body, and the length of what GET would have is not known here.
  void reply.send(body === '' ? undefined : Buffer.from(body))
}

export function setReplyHeaders(reply: FastifyReply, headers: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? ''
    const before = isListHeader(name) ? reply.getHeader(name) : undefined
    reply.header(name, before === undefined ? value : mergeList(String(before), value))
  }
}
