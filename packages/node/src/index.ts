export { type FileSnapshot, type FileSnapshotOptions, fileSnapshot } from './file-snapshot.ts'
export { guardFrom, warningsOf } from './guard-from.ts'
export {
  answerRequest,
  checkAdapterOptions,
  guardRequest,
  type NodeAdapterOptions,
  type NodeAnswer,
} from './guard-request.ts'
export { guardUpgrade } from './guard-upgrade.ts'
export { nodeRequest } from './node-request.ts'
export { peerOf } from './peer-of.ts'
export { sendReply, setHeaders } from './send-reply.ts'
export { warnProcess } from './warn-process.ts'
