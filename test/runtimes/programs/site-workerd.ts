import { workers } from '@ipguard/fetch'
import { createSite } from '../cases/site.ts'

interface ServerSocket extends WebSocket {
  accept(): void
}

declare const WebSocketPair: new () => { readonly 0: WebSocket; readonly 1: ServerSocket }

function upgrade(): Response {
  const { 0: client, 1: server } = new WebSocketPair()
  server.accept()
  server.addEventListener('message', ({ data }) => server.send(`echo ${data}`))
  return new Response(null, { status: 101, webSocket: client } as ResponseInit) // only Workers have the second
}

// biome-ignore lint/style/noDefaultExport: what a Worker exports
export default { fetch: createSite({ host: workers, upgrade }) }
