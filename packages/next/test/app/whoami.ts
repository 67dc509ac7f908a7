import { deny, ipguard } from '../../src/index.ts'
import type { SuiteAdapter } from './adapter-of.ts'
import type { SuiteEvent } from './suite-proxy.ts'

let adapter: SuiteAdapter | undefined

/** Refuses everybody and names them: what `next start` answers, where no suite runs in the process. */
export async function whoami(request: Request, event: SuiteEvent): Promise<Response | undefined> {
  adapter ??= ipguard({
    policies: [deny(['0.0.0.0/0', '::/0'])],
    onRefused: ({ client }) => ({
      status: 403,
      headers: { 'Content-Type': 'text/plain' },
      body: client?.ip ?? 'nobody',
    }),
    onWarning: () => {},
  }) as SuiteAdapter
  return adapter(request, event)
}
