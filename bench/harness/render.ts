import type { Result, Table, Verdict } from './result.ts'

/** A suite's result as Markdown that also reads well on a terminal. */
export function renderResult({ title, notes, tables, verdicts }: Result): string {
  const parts = [`## ${title}`, ...notes, ...tables.map(renderTable), verdicts.map(renderVerdict).join('\n')]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

export function renderVerdict({ claim, figure, pass }: Verdict): string {
  return `- ${pass ? 'PASS' : 'FAIL'} ${claim}: ${figure}`
}

function renderTable({ title, columns, rows }: Table): string {
  const widths = columns.map((column, i) => Math.max(3, column.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, i) => (i === 0 ? (cells[i] ?? '').padEnd(width) : (cells[i] ?? '').padStart(width))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [`**${title}**`, '', line(columns), rule, ...rows.map(line)].join('\n')
}
