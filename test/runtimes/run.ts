// Every runtime, one list of cases: `pnpm test:runtimes`; with names, only those: `pnpm test:runtimes bun deno`.
import { buildPackages } from './build-packages.ts'
import { bundle } from './bundle.ts'
import { printReports } from './print-reports.ts'
import { type Report, reportOf } from './report-of.ts'
import { runtimes } from './runtimes.ts'

/** What the programs are made of. */
const PACKAGES = ['core', 'store-memory', 'node', 'fetch', 'hono', 'express', 'koa', 'fastify']

const asked = process.argv.slice(2)
const chosen = runtimes.filter(({ name }) => asked.length === 0 || asked.includes(name))
if (chosen.length === 0) throw new Error(`Write some of: ${runtimes.map(({ name }) => name).join(' ')}`)

buildPackages(PACKAGES)
const files = new Map<string, string>()
for (const program of chosen.flatMap(({ site, suites }) => (suites ? [site, suites] : [site])))
  files.set(program.file, files.get(program.file) ?? (await bundle(program)))

const reports: Report[] = []
const queue = [...chosen]
/** Two at a time: each is a process of its own, and the machines that run this have two cores. */
async function work(): Promise<void> {
  for (let runtime = queue.shift(); runtime !== undefined; runtime = queue.shift())
    reports.push(await reportOf(runtime, ({ file }) => files.get(file) ?? ''))
}
await Promise.all([work(), work()])
process.exitCode = printReports(reports.toSorted((a, b) => a.runtime.localeCompare(b.runtime))) ? 0 : 1
