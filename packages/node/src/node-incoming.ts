/** As much of a request of `node:http`, or of the compatibility API of `node:http2`, as is read; without the types of Node, which not everybody has. */
export interface NodeIncoming {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly rawHeaders: readonly string[]
  readonly socket: { readonly remoteAddress?: string | undefined; readonly destroyed: boolean }
}
