import { onPaths, type RateLimitOptions } from '@ipguard/core'
import { CLIENT, type ExpectedDecision, type HistoryStep, type LadderHistory } from './history.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const tiersA = [
  { name: 'graylist', ban: '24h' },
  { name: 'blacklist', ban: '30d', after: 3 },
] as const
const A: RateLimitOptions<unknown> = { name: 'a', limit: 60, window: '60s', ladder: tiersA }
const B: RateLimitOptions<unknown> = {
  name: 'b',
  limit: 5,
  window: '60s',
  ladder: [{ name: 'jail', ban: '1h', after: 3, within: '10m' }],
}
const C: RateLimitOptions<unknown> = {
  name: 'c',
  ladder: [{ name: 'login', ban: '15m', after: 5, within: '10m' }],
}

const allowed = { action: 'allow' } as const
const limited = { action: 'limit', reason: 'rate-limited' } as const
const banned = { action: 'deny', reason: 'banned' } as const

function requests(at: number, times: number, expect: ExpectedDecision, from: string = CLIENT): HistoryStep {
  return { at, do: 'request', times, expect, from }
}

/** The limit of 60 is used up, and the next request bans until `expires`. */
function exceeded(at: number, tier: string, expires: number, strikes: number, from?: string): readonly HistoryStep[] {
  const retryAfter = (expires - at) / SECOND
  return [requests(at, 60, allowed, from), requests(at, 1, { ...limited, tier, expires, retryAfter, strikes }, from)]
}

const siblings = Array.from({ length: 8 }, (_, i) => `2001:db8:0:1${i}0::1`)

/** The worked histories of the ladder, in order. Ladder A: 60 in 60 s; B: 5 in 60 s; C: fed by `strike()` only. */
export const ladderHistories: readonly LadderHistory[] = [
  {
    name: '1. the request beyond the limit is limited with the ban it brings about, then denied until its end',
    policies: [A],
    steps: [
      requests(0, 60, allowed),
      requests(SECOND, 1, { ...limited, tier: 'graylist', strikes: 1, retryAfter: 86_400, expires: DAY + SECOND }),
      requests(2 * SECOND, 1, { ...banned, tier: 'graylist', retryAfter: 86_399, expires: DAY + SECOND }),
      requests(DAY + SECOND - 1, 1, { ...banned, retryAfter: 1 }),
      requests(DAY + SECOND, 60, allowed),
    ],
  },
  {
    name: '2. the third strike inside 30 days leads to the blacklist',
    policies: [A],
    steps: [
      requests(0, 60, allowed),
      requests(SECOND, 1, { ...limited, tier: 'graylist', strikes: 1 }),
      requests(DAY + SECOND, 60, allowed),
      ...exceeded(25 * HOUR, 'graylist', 49 * HOUR, 2),
      ...exceeded(50 * HOUR, 'blacklist', 50 * HOUR + 30 * DAY, 3),
      requests(74 * HOUR, 1, {
        ...banned,
        tier: 'blacklist',
        retryAfter: (30 * DAY - 24 * HOUR) / SECOND,
        expires: 50 * HOUR + 30 * DAY,
      }),
    ],
  },
  {
    name: '3. strikes are forgotten after 30 days',
    policies: [A],
    steps: [
      ...exceeded(0, 'graylist', DAY, 1),
      ...exceeded(10 * DAY, 'graylist', 11 * DAY, 2),
      ...exceeded(31 * DAY, 'graylist', 32 * DAY, 2),
    ],
  },
  {
    name: '4. a burst is one strike; the third one jails, and the rest of its burst is denied',
    policies: [B],
    steps: [
      requests(0, 5, allowed),
      requests(0, 5, { ...limited, retryAfter: 66 }),
      { at: 0, do: 'see status', strikes: 1, bans: 0 },
      requests(61 * SECOND, 10, { ...limited, retryAfter: 5 }),
      { at: 61 * SECOND, do: 'see status', strikes: 2, bans: 0 },
      requests(122 * SECOND, 5, allowed),
      requests(122 * SECOND, 1, {
        ...limited,
        tier: 'jail',
        strikes: 3,
        retryAfter: 3_600,
        expires: 122 * SECOND + HOUR,
      }),
      requests(122 * SECOND, 4, { ...banned, tier: 'jail', retryAfter: 3_600 }),
      requests(122 * SECOND + HOUR, 5, allowed),
    ],
  },
  {
    name: '5. three bursts of which the first is older than 10 minutes do not ban',
    policies: [B],
    steps: [
      requests(0, 5, allowed),
      requests(0, 5, limited),
      requests(61 * SECOND, 10, limited),
      requests(11 * MINUTE, 5, allowed),
      requests(11 * MINUTE, 5, { ...limited, retryAfter: 66 }),
      { at: 11 * MINUTE, do: 'see bans', bans: {} },
    ],
  },
  {
    name: '6. strikes by the application ban; while banned there are none',
    policies: [C],
    steps: [
      ...[0, 1, 2, 3].map((minute): HistoryStep => ({ at: minute * MINUTE, do: 'strike', banned: null })),
      { at: 4 * MINUTE, do: 'strike', banned: 19 * MINUTE },
      requests(4 * MINUTE, 1, { ...banned, tier: 'login', retryAfter: 900 }),
      { at: 5 * MINUTE, do: 'strike', banned: null },
      { at: 5 * MINUTE, do: 'see bans', bans: { [`${CLIENT}/32`]: 19 * MINUTE } },
      ...[10, 12, 14, 16, 18].map((minute): HistoryStep => ({ at: minute * MINUTE, do: 'strike', banned: null })),
      requests(19 * MINUTE, 1, allowed),
      { at: 20 * MINUTE, do: 'strike', banned: null },
      requests(20 * MINUTE, 1, allowed),
    ],
  },
  {
    name: '7. a ban is never shortened, neither by the ladder',
    policies: [A],
    steps: [
      { at: 0, do: 'ban', target: CLIENT, for: '60d' },
      { at: 1, do: 'in flight', times: 61 },
      { at: 2, do: 'see bans', bans: { [`${CLIENT}/32`]: 60 * DAY } },
      requests(59 * DAY, 1, { ...banned, retryAfter: 86_400, expires: 60 * DAY }),
      requests(60 * DAY, 1, allowed),
    ],
  },
  {
    name: '7. nor by hand',
    policies: [A],
    steps: [
      ...exceeded(0, 'graylist', DAY, 1),
      { at: SECOND, do: 'ban', target: CLIENT, for: '1h' },
      { at: SECOND, do: 'see bans', bans: { [`${CLIENT}/32`]: DAY } },
      requests(2 * HOUR, 1, { ...banned, tier: 'graylist', retryAfter: 22 * 3_600 }),
    ],
  },
  {
    name: '8. a private address is limited and never banned',
    policies: [A],
    steps: [
      requests(0, 60, allowed, '10.1.2.3'),
      requests(SECOND, 140, { ...limited, retryAfter: 65 }, '10.1.2.3'),
      { at: SECOND, do: 'see warning', code: 'IPGUARD_BAN_EXEMPT' },
      { at: SECOND, do: 'see bans', bans: {} },
      { at: SECOND, do: 'see status', of: '10.1.2.3', strikes: 0 },
      requests(66 * SECOND, 60, allowed, '10.1.2.3'),
    ],
  },
  {
    name: '8. nor an address in trust',
    policies: [A],
    clientIp: { header: 'x-forwarded-for', trust: ['198.51.100.9'] },
    steps: [
      requests(0, 60, allowed, '198.51.100.9'),
      requests(SECOND, 140, { ...limited, retryAfter: 65 }, '198.51.100.9'),
      { at: SECOND, do: 'see warning', code: 'IPGUARD_BAN_EXEMPT' },
      { at: SECOND, do: 'see bans', bans: {} },
    ],
  },
  {
    name: '9. a client with an allow entry is neither counted nor struck',
    policies: [A],
    steps: [
      { at: 0, do: 'allow', target: CLIENT },
      requests(1, 10_000, allowed),
      { at: 2, do: 'see status', remaining: 60, strikes: 0, bans: 0 },
    ],
  },
  {
    name: '10. eight banned /64 of a /56 become one ban of the /56',
    policies: [A],
    steps: [
      ...siblings.slice(0, 7).flatMap((from, i) => exceeded(i * SECOND, 'graylist', DAY + i * SECOND, 1, from)),
      requests(6 * SECOND, 1, allowed, '2001:db8:0:1ff::1'),
      ...siblings.slice(7).flatMap((from) => exceeded(7 * SECOND, 'graylist', DAY + 7 * SECOND, 1, from)),
      { at: 7 * SECOND, do: 'see bans', bans: { '2001:db8:0:100::/56': DAY + 7 * SECOND } },
      requests(8 * SECOND, 1, { ...banned, retryAfter: 86_399, expires: DAY + 7 * SECOND }, '2001:db8:0:1aa::1'),
      requests(8 * SECOND, 1, allowed, '2001:db8:0:200::1'),
      { at: 8 * SECOND, do: 'allow', target: '2001:db8:0:120::77' },
      requests(8 * SECOND, 1, allowed, '2001:db8:0:120::77'),
      requests(8 * SECOND, 1, banned, '2001:db8:0:120::78'),
      { at: 9 * SECOND, do: 'ban', target: '2001:db8:0:1bb::/64', for: '60d' },
      { at: 9 * SECOND, do: 'unban', target: '2001:db8:0:100::/56' },
      { at: 9 * SECOND, do: 'see bans', bans: {} },
      ...siblings.map((of): HistoryStep => ({ at: 9 * SECOND, do: 'see status', of, strikes: 0 })),
      ...siblings.map((from) => requests(9 * SECOND, 60, allowed, from)),
    ],
  },
  {
    name: '11. a wall clock that is set changes no ban',
    policies: [A],
    steps: [
      ...exceeded(0, 'graylist', DAY, 1),
      { at: HOUR, do: 'set wall clock', by: -HOUR },
      requests(HOUR, 1, { ...banned, retryAfter: 23 * 3_600 }),
      { at: 2 * HOUR, do: 'set wall clock', by: 24 * HOUR },
      requests(2 * HOUR, 1, { ...banned, retryAfter: 22 * 3_600 }),
      requests(DAY - 1, 1, { ...banned, retryAfter: 1 }),
      requests(DAY, 60, allowed),
    ],
  },
  {
    name: '12. in shadow nothing is refused; enforced, the client starts from zero',
    policies: [{ ...A, mode: 'shadow' }],
    steps: [
      requests(0, 60, { ...allowed, shadow: [] }),
      requests(SECOND, 1, {
        ...allowed,
        shadow: [{ ...limited, tier: 'graylist', retryAfter: 86_400, expires: DAY + SECOND }],
      }),
      requests(2 * SECOND, 139, { ...allowed, shadow: [{ ...banned, tier: 'graylist', retryAfter: 86_399 }] }),
      { at: 2 * SECOND, do: 'see status', bans: 0, shadowBans: 1, strikes: 1 },
      { at: 3 * SECOND, do: 'enforce' },
      { at: 3 * SECOND, do: 'see status', bans: 0, shadowBans: 1, strikes: 0, remaining: 60 },
      requests(3 * SECOND, 60, allowed),
      requests(3 * SECOND, 1, { ...limited, tier: 'graylist', strikes: 1 }),
      requests(4 * SECOND, 1, banned),
    ],
  },
  {
    name: "13. a ban of scope 'policy' denies what that policy guards only",
    policies: [
      A,
      {
        name: 'export',
        limit: 1_000,
        window: '1h',
        when: onPaths('/export'),
        ladder: { tiers: [{ name: 'export', ban: '2h' }], scope: 'policy' },
      },
    ],
    steps: [
      ...Array.from(
        { length: 16 },
        (_, round): HistoryStep => ({
          at: round * 66 * SECOND,
          do: 'request',
          times: 60,
          url: '/export',
          expect: allowed,
        }),
      ),
      { at: 16 * 66 * SECOND, do: 'request', times: 40, url: '/export', expect: allowed },
      {
        at: 16 * 66 * SECOND,
        do: 'request',
        url: '/export',
        expect: { ...limited, policy: 'export', tier: 'export', retryAfter: 7_200 },
      },
      {
        at: 16 * 66 * SECOND,
        do: 'request',
        times: 100,
        url: '/export',
        expect: { ...banned, policy: 'export', retryAfter: 7_200 },
      },
      { at: 16 * 66 * SECOND, do: 'request', times: 20, url: '/other', expect: allowed },
      { at: 3 * HOUR, do: 'request', url: '/export', expect: allowed },
    ],
  },
  {
    name: '14. a tier that cannot be reached is refused at creation',
    policies: [
      {
        name: 'unreachable',
        limit: 60,
        window: '60s',
        ladder: [{ ban: '24h' }, { ban: '30d', after: 3, within: '12h' }],
      },
    ],
    refused: 'IPGUARD_LADDER_UNREACHABLE',
    steps: [],
  },
]
