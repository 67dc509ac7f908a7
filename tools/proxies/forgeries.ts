import { forgedHeaders } from '@ipguard/conformance'

/** What a caller writes into its request to be taken for somebody else. */
export interface Forgery {
  readonly what: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** No good HTTP, or too much of it: a proxy or a server may refuse it with a 4xx, or find no client. */
  readonly refusable?: true
}

const FLOOD = Array.from({ length: 1_200 }, () => ['a', ''] as const)

/** Each header alone, all together, many lines, long lines, and what is to confuse whoever reads them. */
export const forgeries: readonly Forgery[] = [
  { what: 'nothing', headers: [] },
  { what: 'every header at once', headers: forgedHeaders },
  ...forgedHeaders.map(([name, value]) => ({ what: `${name}: ${value}`, headers: [[name, value]] as const })),
  {
    what: 'fifty lines of X-Forwarded-For',
    headers: Array.from({ length: 50 }, (_, i) => ['X-Forwarded-For', `6.6.6.${i}`] as const),
  },
  {
    what: 'a long X-Forwarded-For',
    headers: [['X-Forwarded-For', Array.from({ length: 500 }, () => '6.6.6.6').join(', ')]],
  },
  { what: 'an X-Forwarded-For of commas', headers: [['X-Forwarded-For', ','.repeat(1_000)]] },
  { what: 'an empty X-Forwarded-For', headers: [['X-Forwarded-For', '']] },
  { what: 'text in X-Forwarded-For', headers: [['X-Forwarded-For', 'unknown, _hidden']] },
  { what: 'a Forwarded with an open quote', headers: [['Forwarded', 'for="6.6.6.6, for=127.0.0.1']] },
  {
    what: 'headers that Connection names as hop-by-hop',
    headers: [
      ['Connection', 'close, X-Forwarded-For, X-Real-IP, Forwarded'],
      ['X-Forwarded-For', '6.6.6.6'],
    ],
    refusable: true,
  },
  { what: 'a folded line', headers: [['X-Forwarded-For', '6.6.6.6,\r\n 6.6.6.7']], refusable: true },
  { what: 'a space before the colon', headers: [['X-Forwarded-For ', '6.6.6.6']], refusable: true },
  { what: 'a bare line feed', headers: [['X-A', 'a\nX-Forwarded-For: 6.6.6.6']], refusable: true },
  { what: 'a flood of lines', headers: [['X-Forwarded-For', '6.6.6.6'], ...FLOOD], refusable: true },
  {
    what: 'a flood of lines and a forgery after it',
    headers: [...FLOOD, ['X-Forwarded-For', '6.6.6.6']],
    refusable: true,
  },
]
