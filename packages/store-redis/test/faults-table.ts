import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { FAULT_CLIENTS } from './faults-client.ts'
import type { Outcome } from './faults-row.ts'

/** In the order of the table in the README. */
export const FAULTS = [
  'frozen for 10 s (SIGSTOP)',
  'CLIENT PAUSE for 5 s',
  'killed (SIGKILL), 3 s later there again, empty',
  'restarted empty',
  'killed and restarted with AOF',
  'connection refused from the start, for 2 s',
  'SCRIPT FLUSH every 50 ms',
  'memory full (noeviction) for 3 s',
  'made a read-only replica for 3 s',
  'failover by Sentinel',
  '64 slots moved in a cluster, twice',
  'flapping: frozen and thawed every 200 ms',
  'flapping: every connection killed every 200 ms',
] as const
export type FaultName = (typeof FAULTS)[number]

const README = new URL('../README.md', import.meta.url)
const BEGIN = '<!-- fault table: written by the fault tests -->'
const END = '<!-- end of the fault table -->'
const HEAD = [
  '| fault | client | decisions, without Redis | p99.9 | bare timer | beyond it | back after | heap | unanswered |',
  '|---|---|---|---|---|---|---|---|---|',
]
/** How the table is written: one file after the other, as all write into it. */
const WRITES = process.env.IPGUARD_FAULT_TABLE === 'write'

export interface TableRow {
  readonly fault: string
  readonly client: string
  /** ms */
  readonly beyond: number
  readonly back: number
  /** KB */
  readonly heap: number
  readonly unanswered: number
}

/** The table of the README, as numbers. */
export function readTable(): readonly TableRow[] {
  return lines().map((line) => {
    const [fault = '', client = '', , , , beyond, back, heap, unanswered] = line.slice(2, -2).split(' | ')
    const number = (text = ''): number => Number.parseFloat(text.replace('−', '-'))
    return {
      fault,
      client,
      beyond: number(beyond),
      back: number(back),
      heap: number(heap),
      unanswered: number(unanswered),
    }
  })
}

/** Puts a fault's figures into the table, when that was asked for. */
export function writeRows(fault: FaultName, outcomes: readonly Outcome[]): void {
  if (!WRITES) return
  const others = lines().filter((line) => !line.startsWith(`| ${fault} |`))
  const rows = [...others, ...outcomes.map((outcome) => render(fault, outcome))]
  const place = (line: string): number =>
    FAULTS.findIndex((name) => line.startsWith(`| ${name} |`)) * 10 +
    FAULT_CLIENTS.findIndex((name) => line.includes(`| ${name} |`))
  rows.sort((x, y) => place(x) - place(y))
  const [before, after] = around()
  writeFileSync(README, [before + BEGIN, '', ...HEAD, ...rows, '', END + after].join('\n'))
}

function render(fault: FaultName, { client, figures }: Outcome): string {
  const { decisions, degraded, took, timer, recovery, growth, peak } = figures
  const cells = [
    fault,
    client,
    `${decisions}, ${degraded}`,
    `${took.toFixed(1)} ms`,
    `${timer.toFixed(1)} ms`,
    `${signed((took - timer).toFixed(1))} ms`,
    `${Math.round(recovery)} ms`,
    `${signed(String(Math.round(growth / 1000)))} KB`,
    String(peak),
  ]
  return `| ${cells.join(' | ')} |`
}

function signed(text: string): string {
  return text.startsWith('-') ? `−${text.slice(1)}` : `+${text}`
}

function text(): string {
  return existsSync(README) ? readFileSync(README, 'utf8') : `# @ipguard/store-redis\n\n${BEGIN}\n`
}

/** What comes before the table, and what after it. */
function around(): [string, string] {
  const [before, rest] = text().split(BEGIN)
  if (before === undefined || rest === undefined) throw new Error(`README.md has no line ${BEGIN}.`)
  const end = rest.indexOf(END)
  return [before, end < 0 ? rest : rest.slice(end + END.length)]
}

/** The rows as they are. */
function lines(): readonly string[] {
  const rest = text().split(BEGIN)[1] ?? ''
  const end = rest.indexOf(END)
  return end < 0
    ? []
    : rest
        .slice(0, end)
        .split('\n')
        .filter((line) => line.startsWith('| '))
        .slice(1)
}
