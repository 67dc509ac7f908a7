export * from '@ipguard/core'
export { type MemoryStoreOptions, memoryStore } from '@ipguard/store-memory'
export { type ExpressAdapterOptions, type IpGuardMiddleware, ipguard } from './ipguard.ts'
