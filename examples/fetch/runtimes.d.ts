// As much of two runtimes as these programs use: neither's types are installed here.
declare const Bun: {
  readonly env: Readonly<Record<string, string | undefined>>
  serve(options: {
    readonly hostname: string
    readonly port: number
    readonly fetch: (request: Request, server: import('@ipguard/fetch').BunServer) => Promise<Response>
  }): unknown
}

declare const Deno: {
  readonly env: { get(name: string): string | undefined }
  serve(
    options: { readonly hostname: string; readonly port: number },
    handler: (request: Request, info: import('@ipguard/fetch').DenoInfo) => Promise<Response>,
  ): unknown
}
