import { createGuard, deny, handleOf, memoryStore, nginx, rateLimit } from '@ipguard/fetch'

/** Who may come in: nobody from a listed network, 20 requests a minute, and who does not keep to it or guesses passwords is away for a while. */
export const guard = createGuard({
  store: memoryStore(),
  clientIp: nginx({ trust: ['127.0.0.1/32'] }), // nginx on this machine; whoever else sends X-Forwarded-For is not believed
  onWarning: ({ code, message }) => console.warn(`${code}: ${message}`),
  policies: [
    deny(['198.51.100.0/24', '2001:db8:bad::/48']),
    rateLimit({ limit: 20, window: '60s', ladder: [{ name: 'graylist', ban: '1h' }] }),
    rateLimit({ name: 'login', ladder: [{ ban: '15m', after: 3, within: '10m' }] }),
  ],
})

/** Who knocks, as the guard found out. */
export function welcome(request: Request): string {
  return `Welcome, ${handleOf(request)?.decision.client?.ip}.\n`
}

/** Whether the password is right: if so the request does not count, and otherwise it strikes. */
export async function logIn(request: Request): Promise<boolean> {
  const handle = handleOf(request)
  const right = request.headers.get('Authorization') === `Basic ${btoa('demo:demo')}`
  if (right) await handle?.refund()
  else await handle?.strike()
  return right
}
