/** What a client of node-redis has that keeps copies of what it reads: RESP3 and the option `clientSideCache`. */
export interface NodeRedisCopies {
  readonly clientSideCache?: { invalidate(key: string): void } | undefined
  get(key: string): Promise<unknown>
}

/** A client of node-redis 5 or 6: `createClient()`. */
export interface NodeRedisClient extends NodeRedisCopies {
  readonly isReady: boolean
  readonly isPubSubActive: boolean
  readonly options?: object | undefined
  sendCommand(args: string[], options?: object): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
}

/** `createCluster()` of node-redis 5 or 6. */
export interface NodeRedisCluster extends NodeRedisCopies {
  readonly isOpen: boolean
  readonly slots: readonly ({ readonly master?: { readonly client?: unknown } | undefined } | undefined)[]
  readonly masters: readonly { readonly client?: unknown }[]
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
    options?: object,
  ): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
}

/** `createSentinel()` of node-redis 5 or 6. */
export interface NodeRedisSentinel extends NodeRedisCopies {
  readonly isReady: boolean
  getMasterNode(): unknown
  sendCommand(isReadonly: boolean | undefined, args: string[], options?: object): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
}

/** `new Redis()` of ioredis 5 or 6, plain or by Sentinel; iovalkey is the same. */
export interface IoRedisClient {
  readonly status: string
  readonly mode?: string
  readonly isCluster?: boolean
  readonly options: object
  call(command: string, ...args: string[]): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
}

/** `new Cluster()` of ioredis 5 or 6. */
export interface IoRedisCluster extends Omit<IoRedisClient, 'mode' | 'options'> {
  readonly isCluster: true
  readonly options?: object
  /** Names of nodes (`host:port`) by slot, the master first. */
  readonly slots: readonly (readonly string[] | undefined)[]
  nodes(role: 'master'): readonly IoRedisClient[]
}

/** Every client that the store works with. */
export type RedisClient = NodeRedisClient | NodeRedisCluster | NodeRedisSentinel | IoRedisClient | IoRedisCluster
