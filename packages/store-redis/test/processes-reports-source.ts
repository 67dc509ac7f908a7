import type { Logger, Provider, ReportsOptions } from '@ipguard/core'

/** To whom a process reports, and what must stand nowhere. */
export interface Reporting extends Pick<ReportsOptions, 'window' | 'perDay' | 'secrets' | 'minStrikes'> {
  readonly url: string
  readonly key: string
}

/** A source as an application would write it: one POST for each report. */
export function reportSource({ url, key }: Reporting): Provider {
  return {
    name: 'stand-in',
    lookup: () => undefined,
    reportWindow: '15m',
    async report(ip, { type, message, at }, { signal }) {
      const headers = { 'content-type': 'application/json', 'x-key': key }
      const body = JSON.stringify({ ip, type, message, at })
      const response = await fetch(url, { method: 'POST', headers, body, signal })
      if (!response.ok) throw new Error(`The stand-in answered ${response.status} to ${key}.`)
    },
  }
}

/** Everything that a guard writes, as an application's logger does. */
export function lineLogger(lines: string[]): Logger {
  const write = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`)
  return { info: write, warn: write, error: write }
}
