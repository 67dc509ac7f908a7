import type { Result } from './harness/result.ts'

/** One suite in a process of its own: what one suite taught the compiler, or left on the heap, is not in another's figures. */
const SUITES: Readonly<Record<string, () => Promise<() => Promise<Result>>>> = {
  parse: async () => (await import('./suites/parse.ts')).parseSuite,
  'lookup-v4': async () => (await import('./suites/lookup.ts')).lookupSuite.bind(undefined, 4),
  'lookup-v6': async () => (await import('./suites/lookup.ts')).lookupSuite.bind(undefined, 6),
  load: async () => (await import('./suites/load.ts')).loadSuite,
  limiter: async () => (await import('./suites/limiter.ts')).limiterSuite,
  decision: async () => (await import('./suites/decision.ts')).decisionSuite,
  'decision-more': async () => (await import('./suites/decision.ts')).otherDecisionsSuite,
  ...Object.fromEntries(
    ['node', 'express', 'koa', 'fastify', 'hono'].map((name) => [
      name,
      async () => (await import('./suites/framework.ts')).frameworkSuite.bind(undefined, name),
    ]),
  ),
  reputation: async () => (await import('./suites/reputation.ts')).reputationSuite,
  'reputation-load': async () => (await import('./suites/reputation-load.ts')).reputationLoadSuite,
  redis: async () => (await import('./suites/redis.ts')).redisSuite,
}

const suite = await SUITES[process.argv[2] ?? '']?.()
if (!suite) throw new Error(`No such suite. Write one of: ${Object.keys(SUITES).join(', ')}.`)
const result = await suite()
// ends at once, although a peer's timers may wait for their windows
if (process.send) process.send(result, undefined, undefined, () => process.exit(0))
else console.log(JSON.stringify(result, null, 2))
