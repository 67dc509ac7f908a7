import { PARTS, type Part, type Report } from './report-of.ts'

/** Fewer would be a list that has lost its cases. */
const LEAST: Readonly<Record<Part, number>> = { cases: 430, 'over HTTP': 20, suites: 140 }
/** Of each problem so much is shown. */
const COLUMNS = 400

/** Prints a table of passed cases, and below it what failed; answers whether nothing did. */
export function printReports(reports: readonly Report[]): boolean {
  console.log(row(['runtime', ...PARTS, 'seconds']))
  for (const { runtime, parts, milliseconds } of reports) {
    const cells = PARTS.map((part) => {
      const results = parts[part]
      if (!results) return '-'
      const passed = results.filter(({ error }) => error === undefined).length
      return passed === results.length ? String(passed) : `${passed} of ${results.length}`
    })
    console.log(row([runtime, ...cells, (milliseconds / 1_000).toFixed(1)]))
  }
  const problems = reports.flatMap(problemsOf)
  for (const problem of problems) console.error(`✗ ${problem.slice(0, COLUMNS)}`)
  return problems.length === 0
}

function problemsOf({ runtime, parts }: Report): readonly string[] {
  return PARTS.flatMap((part) => {
    const results = parts[part]
    if (!results) return []
    const failed = results.filter(({ error }) => error !== undefined)
    const few = failed.length === 0 && results.length < LEAST[part]
    return [
      ...failed.map(({ name, error }) => `${runtime}: ${name}: ${error}`),
      ...(few ? [`${runtime}: only ${results.length} ${part}, and there were ${LEAST[part]}`] : []),
    ]
  })
}

function row([first = '', ...rest]: readonly string[]): string {
  return first.padEnd(24) + rest.map((cell) => cell.padStart(12)).join('')
}
