export { listenAs } from './listen-as.ts'
