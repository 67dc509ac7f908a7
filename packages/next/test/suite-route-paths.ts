/** The one whose handler runs in the edge runtime. */
export const EDGE_PATH = '/edge'

/**
 * The paths of the suite's routes with the methods that they handle: Next wants a file for each before anything runs. Next would answer
 * `OPTIONS` without asking a handler. The last takes what no other does, which spares the suite the page that Next renders then.
 */
export const suiteRoutePaths: readonly (readonly [path: string, methods: readonly string[]])[] = [
  ...['/hello', '/admin', '/public', '/mounted/inner', '/stream', '/decision', '/failing', '/cookies'].map(
    withMethod('GET'),
  ),
  ...['/echo', '/login', '/strike', '/refund'].map(withMethod('POST')),
  [EDGE_PATH, ['GET']],
  ['/[...rest]', ['GET', 'POST', 'OPTIONS']],
]

function withMethod(method: string): (path: string) => readonly [string, readonly string[]] {
  return (path) => [path, [method, 'OPTIONS']]
}
