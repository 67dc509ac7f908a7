import { createGuard, type Decision, type GuardOptions, type GuardRequest, type Store } from '@ipguard/core'
import type { RawRequest } from '../adapter-suite/raw-exchange.ts'

/** A guard's options, requests to it, and the decisions on them to the byte, as plain data but for the policies. */
export interface DecisionScenario {
  readonly name: string
  /** Without store, clock and identifiers, which `scriptScenario` adds. */
  readonly options: () => Omit<GuardOptions, 'store' | 'clock' | 'createId'>
  /** Sent from 127.0.0.1, one after the other. */
  readonly steps: readonly DecisionStep[]
  /** One for each step, as `JSON.stringify` writes it. */
  readonly decisions: readonly string[]
}

/** One request of a scenario, and when it comes. */
export interface DecisionStep {
  /** Milliseconds since the scenario began. */
  readonly at: number
  readonly request: RawRequest
}

/** What a scenario needs to be played: a guard's options, and the hand on its clock. */
export interface ScenarioScript {
  readonly options: GuardOptions
  /** Sends each request at its time; answers what the guard decided meanwhile. `decisions` is what its `decision` event has told. */
  readonly play: (decisions: readonly Decision[], send: (request: RawRequest) => unknown) => Promise<readonly string[]>
}

/** 2026-01-01T00:00:00Z. */
const START = 1_767_225_600_000

/** Options with a clock that the script moves and identifiers that count, so that nothing depends on when and where it runs. */
export function scriptScenario({ options, steps }: DecisionScenario, store: Store): ScenarioScript {
  let time = START
  let ids = 0
  return {
    options: { ...options(), store, clock: { now: () => time }, createId: () => `id-${++ids}` },
    async play(decisions, send) {
      for (const { at, request } of steps) {
        time = START + at
        await send(request)
      }
      return decisions.map((decision) => JSON.stringify(decision))
    },
  }
}

/** What core decides by itself, asked without an adapter. */
export async function decideAlone(scenario: DecisionScenario, store: Store): Promise<readonly string[]> {
  const { options, play } = scriptScenario(scenario, store)
  const guard = createGuard(options)
  const decisions: Decision[] = []
  guard.on('decision', (decision) => void decisions.push(decision))
  try {
    return await play(decisions, (request) => guard.check(guardRequestOf(request), { peer: '127.0.0.1' }))
  } finally {
    await guard.close()
  }
}

/** A request as a guard reads it, made of what goes over the wire. */
export function guardRequestOf({ method = 'GET', target, headers = [] }: RawRequest): GuardRequest {
  return {
    method,
    url: target,
    headers: {
      get(name) {
        const values = headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)
        return values.length === 0 ? undefined : values.join(', ')
      },
    },
  }
}
