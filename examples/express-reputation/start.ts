import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createSite } from './app.ts'
import { startVendors } from './vendors.ts'

const KEY = 'a-key-of-the-example'
const vendors = await startVendors(KEY)
const { app } = createSite({ vendors: vendors.url, ipasisKey: KEY, includePrivate: true })
const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo // of a TCP server

console.log(`vendors  ${vendors.url}, which stand in for the real ones`)
console.log(`site     http://127.0.0.1:${port}/\n`)
console.log(`curl -i -H 'X-Forwarded-For: 203.0.113.66' http://127.0.0.1:${port}/`)
console.log('\nCtrl-C ends both.')
