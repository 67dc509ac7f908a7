// `@ipguard/node/request`: imports nothing from node:, for adapters that also run where there is no Node.
export type { NodeIncoming } from './node-incoming.ts'
export { nodeRequest } from './node-request.ts'
export { peerOf } from './peer-of.ts'
