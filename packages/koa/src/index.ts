export * from '@ipguard/core'
export { type MemoryStoreOptions, memoryStore } from '@ipguard/store-memory'
export { type IpGuardMiddleware, ipguard, type KoaAdapterOptions } from './ipguard.ts'
