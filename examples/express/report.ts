import { stripVTControlCharacters, styleText } from 'node:util'
import type { ClientRow, Tally } from './tally.ts'

const number = new Intl.NumberFormat('en')
const BAR = 30
const OFFENDERS = 8

/** The tables of the demo, no line longer than 100 columns. Colours are left out where the output shows none. */
export function report(tally: Tally, timings: Readonly<Record<string, readonly number[]>>): string {
  return [
    '',
    heading('What the clients were answered'),
    ...answers(tally),
    '',
    heading('Why they were refused'),
    ...reasons(tally),
    '',
    heading('Bans by tier'),
    ...table(
      ['tier', 'bans'],
      [...tally.bans].map(([tier, count]) => [tier, number.format(count)]),
    ),
    '',
    heading('Top offenders'),
    ...offenders(tally),
    '',
    heading('Microseconds per decision'),
    ...speed(timings),
    '',
  ].join('\n')
}

function heading(text: string): string {
  return styleText('bold', text)
}

function answers({ statuses, clients }: Tally): readonly string[] {
  const total = sum(statuses.values())
  const row = (name: string, status: number, colour: 'green' | 'yellow' | 'red'): string[] => {
    const count = statuses.get(status) ?? 0
    const share = count / total
    return [
      name,
      String(status),
      number.format(count),
      `${(share * 100).toFixed(1)} %`,
      styleText(colour, '█'.repeat(count === 0 ? 0 : Math.max(1, Math.round(share * BAR)))),
    ]
  }
  return [
    ...table(
      ['', 'status', 'requests', 'share', ''],
      [row('allowed', 200, 'green'), row('limited', 429, 'yellow'), row('denied', 403, 'red')],
    ),
    `  requests ${number.format(total)}, clients ${number.format(clients.size)}`,
  ]
}

function reasons({ reasons: rows }: Tally): readonly string[] {
  const listed = table(
    ['policy', 'reason', 'requests', 'clients'],
    [...rows.values()]
      .toSorted((x, y) => y.requests - x.requests)
      .map(({ policy, reason, requests, clients }) => [
        policy,
        reason,
        number.format(requests),
        number.format(clients.size),
      ]),
  )
  if ([...rows.values()].some(({ policy }) => policy === 'ipsum')) return listed
  return [...listed, '  ipsum refused nobody: a list of 2026 names none of the clients of 2015']
}

function offenders({ clients }: Tally): readonly string[] {
  const worst = [...clients.values()]
    .filter(({ refused, ban }) => refused > 0 && ban)
    .toSorted((x, y) => y.refused - x.refused)
    .slice(0, OFFENDERS)
  return table(['client', 'refused', 'of', 'tier', 'banned until (UTC)'], worst.map(offender))
}

function offender({ client, refused, requests, ban }: ClientRow): string[] {
  const end = ban?.expiresAt === undefined ? 'for good' : date(ban.expiresAt)
  return [client, number.format(refused), number.format(requests), ban?.tier ?? '', end]
}

function speed(timings: Readonly<Record<string, readonly number[]>>): readonly string[] {
  const rows = Object.entries(timings).map(([where, micros]) => {
    const sorted = micros.toSorted((x, y) => x - y)
    const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1)
    return [
      where,
      number.format(sorted.length),
      at(0.5),
      (sum(sorted) / Math.max(1, sorted.length)).toFixed(1),
      at(0.99),
    ]
  })
  return table(['', 'decisions', 'median', 'mean', '99 of 100 under'], rows)
}

/** Columns as wide as their widest cell; cells of digits are set to the right. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => width(row[i] ?? ''))))
  const right = header.map((_, i) => rows.every((row) => /^[\d,]+(\.\d)?( %)?$/.test(row[i] ?? '')))
  const line = (row: readonly string[]): string =>
    `  ${row
      .map((cell, i) => {
        const fill = ' '.repeat(Math.max(0, (widths[i] ?? 0) - width(cell)))
        return right[i] ? fill + cell : cell + fill
      })
      .join('   ')}`.trimEnd()
  return [styleText('dim', line(header)), ...rows.map(line)]
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length
}

/** `18 May 2015 20:05` */
export function date(at: number): string {
  const [, day, month, year, time] = new Date(at).toUTCString().split(' ')
  return `${day} ${month} ${year} ${time?.slice(0, 5)}`
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
