export { headerLines } from './header-lines.ts'
export { listenAs } from './listen-as.ts'
