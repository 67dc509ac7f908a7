export * from '@ipguard/core'
export { type MemoryStoreOptions, memoryStore } from '@ipguard/store-memory'
