// Run by Deno: echoes over WebSockets, for all but one network.
import { type DenoInfo, denoServe, deny, nginx, protect, rateLimit } from '../src/index.ts'

declare const Deno: {
  readonly env: { get(name: string): string | undefined }
  serve(options: object, handler: (request: Request, info: DenoInfo) => Promise<Response>): unknown
  upgradeWebSocket(request: Request): { readonly socket: WebSocket; readonly response: Response }
}

function upgrade(request: Request): Response {
  if (request.headers.get('Upgrade') !== 'websocket') return new Response('Upgrade, please.', { status: 426 })
  const { socket, response } = Deno.upgradeWebSocket(request)
  socket.onmessage = ({ data }) => socket.send(`echo ${data}`)
  return response
}

Deno.serve(
  { hostname: '127.0.0.1', port: Number(Deno.env.get('PORT')) },
  protect(
    {
      clientIp: nginx({ trust: ['127.0.0.1/32'] }),
      policies: [deny(['198.51.100.0/24']), rateLimit({ limit: 99, window: '60s' })],
    },
    upgrade,
    denoServe,
  ),
)
