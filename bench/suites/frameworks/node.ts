import { createServer, type RequestListener } from 'node:http'
import { createGuard, rateLimit } from '@ipguard/core'
import { guardRequest } from '@ipguard/node'
import { memoryStore } from '@ipguard/store-memory'
import { CLIENT_IP, type CreateServer, LIMIT, WINDOW } from './contender.ts'

const answer: RequestListener = (_req, res) => {
  res.setHeader('Content-Length', 2)
  res.end('ok')
}

/** Plain node:http, which has no favourite. */
export const createNode: CreateServer = async (contender) => {
  if (contender === 'bare') return createServer(answer)
  const policies = [rateLimit({ limit: LIMIT, window: WINDOW })]
  const guard = createGuard({ clientIp: CLIENT_IP, policies, store: memoryStore() })
  const options = { headers: contender === 'ipguard' }
  return createServer(async (req, res) => {
    const { refusal } = await guardRequest(guard, req, res, options)
    if (!refusal) answer(req, res)
  })
}
