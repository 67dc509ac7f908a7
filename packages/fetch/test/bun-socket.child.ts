// Run by Bun: echoes over WebSockets, for all but one network.
import { type BunServer, bunServe, deny, nginx, protect, rateLimit } from '../src/index.ts'

interface Server extends BunServer {
  upgrade(request: Request): boolean
}
declare const Bun: {
  readonly env: Readonly<Record<string, string | undefined>>
  serve(options: object): unknown
}

const upgrade = (request: Request, server: Server): Response | undefined =>
  server.upgrade(request) ? undefined : new Response('Upgrade, please.', { status: 426 })

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(Bun.env.PORT),
  websocket: { message: (socket: { send(text: string): void }, text: string) => socket.send(`echo ${text}`) },
  fetch: protect(
    {
      clientIp: nginx({ trust: ['127.0.0.1/32'] }),
      policies: [deny(['198.51.100.0/24']), rateLimit({ limit: 99, window: '60s' })],
    },
    upgrade,
    bunServe,
  ),
})
