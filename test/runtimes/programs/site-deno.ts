import { denoServe } from '@ipguard/fetch'
import { getConnInfo } from 'hono/deno'
import { createSite, type Handler } from '../cases/site.ts'

declare const Deno: {
  readonly args: readonly string[]
  serve(options: { hostname: string; port: number }, handler: Handler): unknown
  upgradeWebSocket(request: Request): { readonly socket: WebSocket; readonly response: Response }
}

function upgrade(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request)
  socket.addEventListener('message', ({ data }) => socket.send(`echo ${data}`))
  return response
}

Deno.serve(
  { hostname: '127.0.0.1', port: Number(Deno.args[0]) },
  createSite({ host: denoServe, connInfo: getConnInfo, upgrade }),
)
