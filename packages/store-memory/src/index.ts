export { type MemoryStoreOptions, memoryStore, type SnapshotTarget } from './memory-store.ts'
