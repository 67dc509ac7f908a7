import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findRuntime } from '@ipguard/tools/runtimes'
import { expect } from './cases/expect.ts'
import { type CaseResult, createCases } from './cases/run-cases.ts'
import { httpCases } from './http-cases.ts'
import type { Program, TestedRuntime } from './runtimes.ts'

export const PARTS = ['cases', 'over HTTP', 'suites'] as const
export type Part = (typeof PARTS)[number]

/** What came of one runtime. */
export interface Report {
  /** Like `node@20.20.2`. */
  readonly runtime: string
  /** A part that does not run on it is absent. */
  readonly parts: Readonly<Partial<Record<Part, readonly CaseResult[]>>>
  readonly milliseconds: number
}

/** Runs everything on one runtime; `fileOf` answers the bundle of a program. Never rejects: what fails is a failed case. */
export async function reportOf(tested: TestedRuntime, fileOf: (program: Program) => string): Promise<Report> {
  const { spec, path } = await findRuntime(tested.name)
  const began = performance.now()
  const { site, suites, args } = tested
  const parts = {
    ...(await siteResults(tested, fileOf(site))),
    ...(suites && { suites: await suiteResults(path, [...args, fileOf(suites)]) }),
  }
  return { runtime: spec, parts, milliseconds: performance.now() - began }
}

async function siteResults({ startSite, peer, webSockets }: TestedRuntime, file: string): Promise<Report['parts']> {
  try {
    const site = await startSite(file)
    try {
      const cases = await resultsFrom(`http://127.0.0.1:${site.port}/cases`)
      const { test, run } = createCases()
      httpCases({ port: site.port, peer, webSockets }, test, expect)
      return { cases, 'over HTTP': await run() }
    } finally {
      await site.stop()
    }
  } catch (error) {
    return { cases: [failed('the site runs', error)] }
  }
}

async function resultsFrom(url: string): Promise<readonly CaseResult[]> {
  const response = await fetch(url, { signal: AbortSignal.timeout(60_000) })
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as readonly CaseResult[] // our own program wrote it
}

async function suiteResults(path: string, args: readonly string[]): Promise<readonly CaseResult[]> {
  try {
    const { stdout } = await promisify(execFile)(path, [...args], { timeout: 120_000, maxBuffer: 10_000_000 })
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as readonly CaseResult[] // our own program wrote it
  } catch (error) {
    return [failed('the suites run', error)]
  }
}

function failed(name: string, error: unknown): CaseResult {
  return { name, error: error instanceof Error ? error.message : String(error) }
}
