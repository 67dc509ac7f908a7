import { type BunServer, bunServe } from '@ipguard/fetch'
import { getConnInfo } from 'hono/bun'
import { createSite, type Handler } from '../cases/site.ts'

interface Server extends BunServer {
  upgrade(request: Request): boolean
}

declare const Bun: {
  serve(options: {
    hostname: string
    port: number
    fetch: Handler
    websocket: { message(socket: { send(text: string): void }, message: string): void }
  }): Server
}

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2]),
  fetch: createSite({
    host: bunServe,
    connInfo: getConnInfo,
    // As Bun's documentation has it: behind an upgrade nothing is answered.
    upgrade(request, server) {
      const { upgrade } = server as Server // Bun calls this
      Reflect.apply(upgrade, server, [request])
      return undefined
    },
  }),
  websocket: { message: (socket, message) => socket.send(`echo ${message}`) },
})
