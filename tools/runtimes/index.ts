export { findRuntime, type Runtime, type RuntimeName } from './find-runtime.ts'
export { startWorker } from './start-worker.ts'
