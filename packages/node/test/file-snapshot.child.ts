import { createServer } from 'node:http'
import { createGuard, rateLimit } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { fileSnapshot, guardRequest } from '../src/index.ts'

// A guarded server of its own process: one request in an hour, then a ban. The client is what a loopback proxy says.
const [path = '', port = ''] = process.argv.slice(2)
const onWarning = ({ code }: { readonly code: string }): void => console.log(`warning ${code}`)
const store = memoryStore({ snapshot: fileSnapshot(path, { every: '10ms' }), onWarning })
const guard = createGuard({
  policies: [rateLimit({ limit: 1, window: '1h', ladder: [{ name: 'out', ban: '30d' }] })],
  store,
  clientIp: { header: 'x-forwarded-for', trust: ['loopback'] },
  onWarning,
})

createServer((req, res) => {
  void Promise.resolve(guardRequest(guard, req, res)).then(({ refusal }) => {
    if (!refusal) res.end('in')
  })
}).listen(Number(port), '127.0.0.1')
