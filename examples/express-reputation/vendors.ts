import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Vendors {
  readonly url: string
  /** How often each was asked. */
  readonly asked: { ipwhois: number; ipasis: number; feed: number }
  stop(): Promise<void>
}

/** By the last number of the address, so that anybody can make up a client. */
const PEOPLE: Readonly<Record<string, { readonly confidence: number; readonly vpn: boolean; readonly tor: boolean }>> =
  {
    '66': { confidence: 92, vpn: false, tor: false },
    '50': { confidence: 30, vpn: true, tor: false },
    '9': { confidence: 0, vpn: false, tor: true },
  }

/**
 * Stands in for the two vendors, on 127.0.0.1: addresses that end with .66 are listed, those with .50 are a VPN that was seen a little, those
 * with .9 are Tor exits, and the feed lists one.
 */
export async function startVendors(key: string): Promise<Vendors> {
  const asked = { ipwhois: 0, ipasis: 0, feed: 0 }
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? '/', 'http://127.0.0.1')
    const send = (body: unknown, status = 200): void => {
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    const about = (ip: string | null): (typeof PEOPLE)[string] | undefined => PEOPLE[ip?.split('.').at(-1) ?? '']
    if (url.pathname === '/api/check') {
      asked.ipwhois++
      const known = about(url.searchParams.get('ip'))
      if (known && known.confidence > 0)
        send({ listed: true, confidence: known.confidence, threat_type: 'brute-force' })
      else send({ listed: false })
    } else if (url.pathname === '/v1/lookup') {
      asked.ipasis++
      const known = about(url.searchParams.get('ip'))
      if (req.headers['x-api-key'] !== key) send({ error: 'wrong key' }, 401)
      else
        send({
          privacy: { VPN: known?.vpn ?? false, Proxy: false, Tor: known?.tor ?? false, Hosting: false, Abuse: false },
        })
    } else if (url.pathname === '/feed.txt') {
      asked.feed++
      res.end('# Generated for an example\n45.155.205.200\n')
    } else {
      send({ error: 'not found' }, 404)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // of a TCP server
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
