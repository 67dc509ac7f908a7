import { allow, deny, onPaths, policy, rateLimit } from '@ipguard/core'
import type { RawRequest } from '../adapter-suite/raw-exchange.ts'
import type { DecisionScenario, DecisionStep } from './decision-scenario.ts'
import { banDecisions, proxiedDecisions, socketDecisions } from './decision-texts.ts'

const PREFLIGHT = [
  ['Origin', 'https://example.org'],
  ['Access-Control-Request-Method', 'PUT'],
] as const

/** A request, as the proxy of the scenarios passes it on. */
function from(client: string | readonly string[], request: Partial<RawRequest> = {}): RawRequest {
  const lines = [client].flat().map((value) => ['X-Forwarded-For', value] as const)
  return { target: '/hello', ...request, headers: [...lines, ...(request.headers ?? [])] }
}

function steps(...rows: readonly (readonly [at: number, request: RawRequest])[]): readonly DecisionStep[] {
  return rows.map(([at, request]) => ({ at, request }))
}

/** What every adapter, runtime and store decides alike. */
export const decisionScenarios: readonly DecisionScenario[] = [
  {
    name: 'clients of a proxy, lists and limits',
    options: () => ({
      clientIp: { header: 'x-forwarded-for', trust: ['loopback'] },
      policies: [
        allow(['192.0.2.128/25'], { name: 'office' }),
        deny(['198.51.100.0/24', '2001:db8:bad::/48'], { name: 'blocklist' }),
        rateLimit({ name: 'site', limit: 2, window: '60s' }),
        rateLimit({ name: 'writes', limit: 1, window: '1h', when: (request) => request.method === 'POST' }),
      ],
    }),
    steps: steps(
      [0, from('203.0.113.9')],
      [1_000, from('203.0.113.9', { method: 'HEAD' })],
      [1_500, from('203.0.113.9', { target: '/public?page=2' })],
      [2_000, from('198.51.100.7', { headers: [['Accept', 'text/html']] })],
      [2_000, from('192.0.2.200')],
      [2_500, from(['6.6.6.6', '192.0.2.200', '203.0.113.9'])],
      [3_000, from('6.6.6.6, 203.0.113.10', { method: 'POST', target: '/echo', body: 'one' })],
      [3_001, from('203.0.113.10', { method: 'POST', target: '/echo', body: 'two' })],
      [4_000, from('2001:DB8::9')],
      [4_100, from('[2001:db8:0:0:1::9]:8080')],
      [4_200, from('2001:db8:bad:1::1')],
      [4_300, from('::ffff:198.51.100.7')],
      [5_000, from('unknown')],
      [5_000, from('6.6.6.6, 999.1.1.1')],
      [5_000, { target: '/hello' }],
      [5_500, from('203.0.113.11', { method: 'OPTIONS', headers: PREFLIGHT })],
      [61_000, from('203.0.113.9')],
      [61_000, from('203.0.113.9')],
    ),
    decisions: proxiedDecisions,
  },
  {
    name: 'strikes and bans as time goes by',
    options: () => ({
      clientIp: { header: 'x-forwarded-for', trust: ['loopback'] },
      policies: [
        rateLimit({
          name: 'site',
          limit: 1,
          window: '10s',
          ladder: [
            { name: 'first', ban: '1m', after: 2 },
            { name: 'second', ban: '1h', after: 3 },
          ],
        }),
      ],
    }),
    steps: steps(
      [0, from('203.0.113.9')],
      [1_000, from('203.0.113.9')],
      [2_000, from('203.0.113.9')],
      [3_000, from('203.0.113.9')],
      [3_000, from('203.0.113.10')],
      [61_999, from('203.0.113.9')],
      [62_001, from('203.0.113.9')],
      [62_002, from('203.0.113.9')],
      [62_003, from('203.0.113.9')],
      [62_004, from('203.0.113.9', { method: 'POST', target: '/echo', body: 'x' })],
      [130_000, from('203.0.113.9')],
      [130_001, from('203.0.113.9')],
      [4_000_000, from('203.0.113.9')],
    ),
    decisions: banDecisions,
  },
  {
    name: 'the peer itself, policies of paths, shadow and failures',
    options: () => ({
      policies: [
        policy({
          name: 'broken',
          evaluate() {
            throw new Error('This fails on purpose.')
          },
        }),
        policy({
          name: 'doubt',
          evaluate: ({ request }) =>
            request.headers.get('user-agent') === 'doubtful'
              ? { action: 'challenge', evidence: [{ kind: 'custom', detail: 'an agent that says so' }] }
              : undefined,
        }),
        deny(['127.0.0.0/8'], { name: 'admin', when: onPaths('/admin', '/admin/*') }),
        deny(['0.0.0.0/0'], { name: 'tried out', mode: 'shadow' }),
        rateLimit({ name: 'keys', limit: 1, window: '1m', key: ({ headers }) => headers.get('x-key') ?? 'none' }),
      ],
    }),
    steps: steps(
      [0, { target: '/hello', headers: [['X-Forwarded-For', '203.0.113.9']] }],
      [1, { target: '/hello', headers: [['X-Key', 'a']] }],
      [2, { target: '/hello', headers: [['X-Key', 'a']] }],
      [3, { target: '/admin' }],
      [4, { target: '/ADMIN/' }],
      [5, { target: '/hello', headers: [['User-Agent', 'doubtful']] }],
      [6, { method: 'HEAD', target: '/public', headers: [['X-Key', 'b']] }],
    ),
    decisions: socketDecisions,
  },
]
