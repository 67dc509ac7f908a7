import { readFileSync } from 'node:fs'

/** What the demo must show, counted from the data files alone: no code of ipguard or of the example is used. */
export interface Expected {
  readonly requests: number
  readonly clients: number
  readonly listed: number
  readonly limited: number
  readonly banned: number
  readonly bans: Readonly<Record<string, number>>
}

const GOOGLEBOT = '66.249.64.0/19'
const LIMIT = 30
/** A tenth of the window of 60 s: the strict window counts its running part whole. */
const PART = 6
const HOURS_6 = 6 * 3600
const DAYS_30 = 30 * 24 * 3600

export function expectedOfDemo(): Expected {
  const ranges = [...lines('ipsum.txt'), ...lines('datacenter-ipv4.txt')].map(rangeOf)
  const google = rangeOf(GOOGLEBOT)
  const isListed = memo((client) => !inside(google, client) && ranges.some((range) => inside(range, client)))
  const count = { listed: 0, limited: 0, banned: 0 }
  const bans: Record<string, number> = {}
  const known = new Map<string, { admitted: number[]; strikes: number[]; until: number }>()
  const log = lines('access-log.txt').map((line) => line.split('\t'))
  for (const [seconds, client] of log) {
    const now = Number(seconds)
    if (isListed(client!)) {
      count.listed++
      continue
    }
    const state = known.get(client!) ?? { admitted: [], strikes: [], until: 0 }
    known.set(client!, state)
    const part = Math.floor(now / PART)
    if (now < state.until) count.banned++
    else if (state.admitted.filter((at) => part - Math.floor(at / PART) <= 10).length < LIMIT) state.admitted.push(now)
    else {
      count.limited++
      state.strikes = [...state.strikes, now].filter((at) => now - at < DAYS_30)
      const third = state.strikes.length >= 3
      state.until = now + (third ? DAYS_30 : HOURS_6)
      state.admitted = []
      bans[third ? 'blacklist' : 'graylist'] = (bans[third ? 'blacklist' : 'graylist'] ?? 0) + 1
    }
  }
  return { requests: log.length, clients: new Set(log.map(([, client]) => client)).size, ...count, bans }
}

function lines(name: string): readonly string[] {
  return readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
}

function rangeOf(text: string): readonly [from: number, to: number] {
  const [address, length = '32'] = text.split('/')
  const from = toNumber(address!)
  return [from, from + 2 ** (32 - Number(length)) - 1]
}

function inside([from, to]: readonly [number, number], client: string): boolean {
  const value = toNumber(client)
  return value >= from && value <= to
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
}

function memo(compute: (key: string) => boolean): (key: string) => boolean {
  const known = new Map<string, boolean>()
  return (key) => {
    const value = known.get(key) ?? compute(key)
    known.set(key, value)
    return value
  }
}
