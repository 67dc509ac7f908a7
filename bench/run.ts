import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { renderResult, renderVerdict } from './harness/render.ts'
import type { Result } from './harness/result.ts'

const NAMES = [
  'parse',
  'lookup-v4',
  'lookup-v6',
  'load',
  'limiter',
  'decision',
  'decision-more',
  'node',
  'express',
  'koa',
  'fastify',
  'hono',
  'redis',
  'reputation',
  'reputation-load',
] as const

const { values, positionals } = parseArgs({
  options: { check: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const chosen = positionals.length > 0 ? positionals : NAMES

const started = performance.now()
const results: Result[] = []
for (const name of chosen) {
  const result = await runSuite(name)
  results.push(result)
  console.log(renderResult(result))
}

const verdicts = results.flatMap((result) => result.verdicts)
const failed = verdicts.filter(({ pass }) => !pass)
console.log(['## Promised figures', '', ...verdicts.map(renderVerdict), ''].join('\n'))
console.log(
  `${verdicts.length - failed.length} of ${verdicts.length} hold, ${Math.round((performance.now() - started) / 1000)} s.`,
)
// a part of the suites must not pass for all of them
if (positionals.length === 0) writeFileSync(new URL('RESULTS.md', import.meta.url), page(results))
if (values.check && failed.length > 0) process.exitCode = 1

function runSuite(name: string): Promise<Result> {
  const child = fork(new URL('suite-process.ts', import.meta.url), [name], {
    execArgv: [...process.execArgv, '--expose-gc', '--max-old-space-size=8192'],
  })
  return new Promise((resolve, reject) => {
    let result: Result | undefined
    child.once('message', (message) => {
      result = message as Result // the child sends nothing else
    })
    child.once('exit', (code) => {
      if (result) resolve(result)
      else reject(new Error(`The suite ${name} ended with code ${code}.`))
    })
  })
}

function page(all: readonly Result[]): string {
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor'
  const machine = `${cpus().length} cores of ${processor}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}, Node ${process.version}`
  const failing = all.flatMap((result) => result.verdicts).filter(({ pass }) => !pass)
  return [
    '# Benchmark results',
    '',
    '<!-- Written by `pnpm bench`; do not edit. -->',
    '',
    `${machine}. Command: \`npx -y pnpm@12.18.0 bench\`. Every suite runs all contenders in turn in every round; figures are medians over the rounds, in CPU time of the`,
    'thread. On a machine that others use trust the ratios, not the times. "limit" is the cheapest code that could do the job. PASS and FAIL are the figures that the project promises.',
    failing.length === 0 ? 'All hold in this run.' : `${failing.length} did not hold in this run.`,
    '',
    ...all.map(renderResult),
  ].join('\n')
}
