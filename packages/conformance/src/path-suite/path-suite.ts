import { deny, exceptPaths, onPaths, type Policy, type Store } from '@ipguard/core'
import { createAdapterKit } from '../adapter-suite/adapter-case.ts'
import type { AdapterServer, AdapterSetup, SuiteFacts } from '../adapter-suite/adapter-driver.ts'
import type { SuiteExpect, SuiteTest } from '../suite-runner.ts'
import { pathSpellings } from './path-spellings.ts'
import { type PipelinedAnswer, type PipelinedRequest, pipeline } from './pipeline.ts'
import { createRandom } from './random.ts'
import { unrelatedPaths } from './unrelated-paths.ts'

/** What `pathSuite` is given: the test runner, the adapter in front of the framework’s own router, and how many spellings to try. */
export interface PathSuiteOptions {
  readonly test: SuiteTest
  readonly expect: SuiteExpect
  /** Answers a store that holds nothing, such as `memoryStore`. */
  readonly createStore: () => Store
  /** As for `adapterSuite`. */
  readonly start: (setup: AdapterSetup) => Promise<AdapterServer>
  /** How many are tried; one in a hundred must reach a handler that nothing guards. @default 100_000 */
  readonly spellings?: number
  /** Another one, other spellings. @default 1 */
  readonly seed?: number
}

/** What is guarded, and what is not. */
const GUARDED = ['/admin', '/mounted/inner'] as const
const OPEN = ['/public', '/public/*'] as const
const EVERYBODY = ['0.0.0.0/0', '::/0']
const UNRELATED = 1_000
/** Of the spellings that reached no guarded handler when nothing guarded it, one in so many is tried again. */
const OTHERS = 20

/**
 * Tries spellings of a guarded path against the framework's real router: whatever reaches the handler must have met the policy. As three
 * tests in the caller's own runner, over HTTP against real servers on this machine. Needs Node.
 *
 * Thousands of random spellings go to a server without a guard. Those that reach the handlers, and some of the others, then go to servers
 * that deny these paths, or everything but another path: there none may. At last, paths that are none of these are never refused.
 *
 * @example
 * import { expect, test } from 'vitest'
 * pathSuite({ test, expect, createStore: () => memoryStore(), start: startExpress })
 */
export function pathSuite({ test, expect, createStore, start, spellings = 100_000, seed = 1 }: PathSuiteOptions): void {
  const withServer = async <Result>(
    policies: readonly Policy<SuiteFacts>[] | undefined,
    use: (send: Send, reached: readonly string[]) => Promise<Result>,
  ): Promise<Result> => {
    const kit = createAdapterKit(expect, createStore, start)
    try {
      const { server, reached } = await kit.serve(policies ? [kit.guard({ policies })] : [])
      return await use((requests) => pipeline(server, requests), reached)
    } finally {
      await kit.close()
    }
  }

  let trying: Promise<Tried> | undefined
  const tried = (): Promise<Tried> => {
    trying ??= withServer(undefined, async (send) => {
      const requests = spelledRequests(spellings, seed)
      const answers = await send(requests)
      const reaching = requests.filter((_, i) => isGuarded(reachedBy(answers[i])))
      const others = requests.filter((_, i) => i % OTHERS === 0 && !isGuarded(reachedBy(answers[i])))
      return { reaching, others }
    })
    return trying
  }

  const noneReaches = async (policies: readonly Policy<SuiteFacts>[]): Promise<void> => {
    const { reaching, others } = await tried()
    // A router that no spelling reaches would pass, and prove nothing.
    expect([reaching.length >= spellings / 100, reaching.length]).toEqual([true, reaching.length])
    await withServer(policies, async (send, reached) => {
      const requests = [...reaching, ...others]
      const answers = await send(requests)
      expect(requests.filter((_, i) => isGuarded(reachedBy(answers[i]))).map(toText)).toEqual([])
      // Nor one whose answer was the refusal all the same.
      expect(reached.filter(isGuarded)).toEqual([])
    })
  }

  test('paths: no spelling of a denied path reaches its handler', () =>
    noneReaches([deny(EVERYBODY, { when: onPaths(...GUARDED) })]))

  test('paths: no spelling reaches a handler by an exception for another path', () =>
    noneReaches([deny(EVERYBODY, { when: exceptPaths(...OPEN) })]))

  test('paths: unrelated ones are answered as if there were no guard', async () => {
    const requests = unrelatedPaths(GUARDED, UNRELATED, seed).map((target) => ({ method: 'GET', target }) as const)
    const statuses = (answers: readonly PipelinedAnswer[]): readonly string[] =>
      requests.map(({ target }, i) => `${target} ${answers[i]?.status}`)
    const bare = await withServer(undefined, async (send) => statuses(await send(requests)))
    const guarded = await withServer([deny(EVERYBODY, { when: onPaths(...GUARDED) })], async (send) =>
      statuses(await send(requests)),
    )
    expect(guarded.filter((status, i) => status !== bare[i])).toEqual([])
    expect(guarded.filter((status) => status.endsWith(' 403'))).toEqual([])
  })
}

type Send = (requests: readonly PipelinedRequest[]) => Promise<readonly PipelinedAnswer[]>

interface Tried {
  readonly reaching: readonly PipelinedRequest[]
  readonly others: readonly PipelinedRequest[]
}

function spelledRequests(count: number, seed: number): readonly PipelinedRequest[] {
  const random = createRandom(seed)
  const sources = GUARDED.map((path, i) => pathSpellings(path, seed + i))
  const requests: PipelinedRequest[] = []
  while (requests.length < count) {
    const method = random.below(10) ? 'GET' : 'HEAD'
    requests.push({ method, target: random.pick(sources).next().value })
  }
  return requests
}

/** The path of the route whose handler wrote this answer. */
function reachedBy(answer: PipelinedAnswer | undefined): string | undefined {
  return /\r\nx-handler: *([^\r]*)/i.exec(answer?.head ?? '')?.[1]
}

function isGuarded(path: string | undefined): boolean {
  return GUARDED.some((guarded) => guarded === path)
}

function toText({ method, target }: PipelinedRequest): string {
  return `${method} ${target}`
}
