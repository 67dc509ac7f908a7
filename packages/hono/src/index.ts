export * from '@ipguard/core'
export { type MemoryStoreOptions, memoryStore } from '@ipguard/store-memory'
export { type HonoAdapterOptions, type IpGuardMiddleware, ipguard } from './ipguard.ts'
export type { PeerOfContext } from './peer-of-host.ts'
