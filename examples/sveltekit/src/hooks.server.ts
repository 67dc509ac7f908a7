import { createGuard, deny, handleOf, ipguard, memoryStore, nginx, onlyAllow, onPaths, rateLimit } from '@ipguard/fetch'
import type { RequestEvent } from '@sveltejs/kit'
import type { Handle } from '@sveltejs/kit/hooks'

/**
 * Who may come in: nobody from a listed network, 20 requests a minute, one page for the office alone. Who does not keep to the limit or
 * guesses passwords is away for a while.
 */
const guard = createGuard({
  store: memoryStore(),
  clientIp: nginx({ trust: ['127.0.0.1/32'] }), // nginx on this machine; whoever else sends X-Forwarded-For is not believed
  onWarning: ({ code, message }) => console.warn(`${code}: ${message}`),
  policies: [
    deny(['198.51.100.0/24', '2001:db8:bad::/48']),
    onlyAllow(['192.0.2.0/24'], { when: onPaths('/office') }), // and its data, /office/__data.json
    rateLimit({ limit: 20, window: '60s', ladder: [{ name: 'graylist', ban: '1h' }] }),
    rateLimit({ name: 'login', ladder: [{ ban: '15m', after: 3, within: '10m' }] }),
  ],
})

// Behind adapter-node: the connection is that of its request, and no variable such as ADDRESS_HEADER is set.
const guarded = ipguard(guard, { incoming: (_request, event: RequestEvent) => event.platform?.req })

export const handle: Handle = ({ event, resolve }) =>
  guarded(
    event.request,
    async () => {
      event.locals.ipguard = handleOf(event.request)
      return resolve(event)
    },
    event,
  )
