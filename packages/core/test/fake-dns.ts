import type { CrawlerDns } from '../src/crawler/system-dns.ts'

export interface FakeDns extends CrawlerDns {
  /** The addresses whose names were asked for, in order. */
  readonly asked: string[]
  /** Names by address, and addresses by name; an Error is what the question fails with. */
  readonly zone: Map<string, readonly string[] | Error>
  /** Questions wait until it is false. */
  readonly hold: (held: boolean) => void
  /** Questions that were given up. */
  readonly aborted: () => number
}

/** A resolver over a table, which answers when the test says so. */
export function fakeDns(entries: Readonly<Record<string, readonly string[] | Error>> = {}): FakeDns {
  const zone = new Map(Object.entries(entries))
  const asked: string[] = []
  let held: Promise<void> | undefined
  let release = (): void => {}
  let aborted = 0
  async function answer(key: string, signal: AbortSignal): Promise<readonly string[]> {
    signal.addEventListener('abort', () => aborted++, { once: true })
    while (held) await held
    const found = zone.get(key) ?? []
    if (found instanceof Error) throw found
    return found
  }
  return {
    zone,
    asked,
    aborted: () => aborted,
    hold(on) {
      if (!on) {
        held = undefined
        release()
      } else held ??= new Promise((resolve) => (release = resolve))
    },
    reverse(ip, signal) {
      asked.push(ip)
      return answer(ip, signal)
    },
    addresses: (name, _family, signal) => answer(name, signal),
  }
}

/** A crawler as the zones of its operator tell of it. */
export function crawlerZone(ip: string, name: string): Readonly<Record<string, readonly string[]>> {
  return { [ip]: [name], [name]: [ip] }
}
