import { createServer, type RequestListener } from 'node:http'
import { type AdapterAnswer, createGuard, rateLimit } from '@ipguard/core'
import { guardRequest } from '@ipguard/node'
import { memoryStore } from '@ipguard/store-memory'
import { CLIENT_IP, type CreateServer, HEADERS, LIMIT, WINDOW } from './contender.ts'

const answer: RequestListener = (_req, res) => {
  res.setHeader('Content-Length', 2)
  res.end('ok')
}

/** Plain node:http, which has no favourite. */
export const createNode: CreateServer = async (contender) => {
  if (contender === 'bare') return createServer(answer)
  if (contender === 'limit') {
    return createServer((req, res) => {
      for (const [name, value] of HEADERS) res.setHeader(name, value)
      answer(req, res)
    })
  }
  const policies = [rateLimit({ limit: LIMIT, window: WINDOW })]
  const guard = createGuard({ clientIp: CLIENT_IP, policies, store: memoryStore() })
  const options = { headers: contender === 'ipguard' }
  return createServer((req, res) => {
    const goOn = ({ refusal }: AdapterAnswer): void => {
      if (!refusal) answer(req, res)
    }
    const decided = guardRequest(guard, req, res, options)
    if (decided instanceof Promise) decided.then(goOn, () => res.destroy())
    else goOn(decided)
  })
}
