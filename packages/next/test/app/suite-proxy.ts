import { adapterOf } from './adapter-of.ts'
import { SERVER_HEADER, suiteSetups } from './suite-setup.ts'
import { whoami } from './whoami.ts'

/** As much of Next's event as the adapter uses. */
export interface SuiteEvent {
  waitUntil(work: Promise<unknown>): void
}

/** The application's proxy or middleware: the adapters of the server that the request came to, one after the other. */
export async function suiteProxy(request: Request, event: SuiteEvent): Promise<Response | undefined> {
  const server = request.headers.get(SERVER_HEADER)
  if (server === null) return whoami(request, event)
  const setup = suiteSetups().get(server)
  if (setup?.place !== 'proxy') return undefined
  let answer: Response | undefined
  for (const mount of setup.mounts) {
    if (!isUnder(mount.path, new URL(request.url).pathname)) continue
    const next = await adapterOf(mount)(request, event)
    if (!next.headers.has('x-middleware-next')) return next
    for (const [name, value] of answer?.headers ?? []) next.headers.set(name, value)
    answer = next
  }
  return answer
}

/** What an application writes that guards a part of its paths. */
function isUnder(prefix: string, pathname: string): boolean {
  return prefix === '/' || pathname === prefix || pathname.startsWith(`${prefix}/`)
}
