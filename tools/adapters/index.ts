export { headerLines } from './header-lines.ts'
export { type CreateServer, http2Server } from './http2-server.ts'
export { http2Suite } from './http2-suite.ts'
export { listenAs } from './listen-as.ts'
