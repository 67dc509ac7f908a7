export * from '@ipguard/core'
export { type MemoryStoreOptions, memoryStore } from '@ipguard/store-memory'
export {
  type IpGuardProxy,
  ipguard,
  type NextAdapterOptions,
  type NextEvent,
  type RouteHandler,
} from './ipguard.ts'
