import { createServer, type RequestListener } from 'node:http'
import { type AdapterAnswer, createGuard } from '@ipguard/core'
import { guardRequest } from '@ipguard/node'
import { memoryStore } from '@ipguard/store-memory'
import { type CreateServer, optionsOf, setHeaders } from './contender.ts'

const answer: RequestListener = (_req, res) => {
  res.setHeader('Content-Length', 2)
  res.end('ok')
}

/** Plain node:http, which has no favourite. */
export const createNode: CreateServer = async (contender) => {
  if (contender === 'bare') return createServer(answer)
  if (contender === 'limit') {
    return createServer((req, res) => {
      setHeaders(res)
      answer(req, res)
    })
  }
  const [guardOptions, options] = optionsOf(contender)
  const guard = createGuard({ ...guardOptions, store: memoryStore() })
  return createServer((req, res) => {
    const goOn = ({ refusal }: AdapterAnswer): void => {
      if (!refusal) answer(req, res)
    }
    const decided = guardRequest(guard, req, res, options)
    if (decided instanceof Promise) decided.then(goOn, () => res.destroy())
    else goOn(decided)
  })
}
