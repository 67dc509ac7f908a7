/** As much of an answer of `node:http`, or of the compatibility API of `node:http2`, as is written. */
export interface NodeResponse {
  statusCode: number
  readonly headersSent: boolean
  getHeader(name: string): number | string | readonly string[] | undefined
  setHeader(name: string, value: number | string): unknown
  end(body: string): unknown
}
