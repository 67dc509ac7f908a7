/**
 * What a guard reads of a request: method, URL and headers; never the body.
 *
 * A Fetch `Request` fits as it is. Node adapters pass a thin view over `IncomingMessage`. `headers.get` takes a lower-case
 * name and answers the value with repeated lines joined by `", "`, or null or undefined when absent. `headers.incomplete`
 * says that lines were lost on the way, perhaps the one that a proxy added: then no header names the client. `url` is
 * absolute or starts at the path.
 */
export interface GuardRequest {
  readonly method: string
  readonly url: string
  readonly headers: { get(name: string): string | null | undefined; readonly incomplete?: boolean }
  /** Other paths under which the framework knows what `url` asks for, as without a base path or a locale: rules that refuse hold for them too. */
  readonly names?: readonly string[]
  /** The framework's own request object, by which the request is remembered; the view itself when absent. */
  readonly native?: object
}
