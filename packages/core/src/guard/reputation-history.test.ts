import fc from 'fast-check'
import { expect, test } from 'vitest'
import { failure, fakeProvider, reputationGuard, turn } from '../../test/fake-provider.ts'

const IP = '8.8.4.4'
const MINUTE = 60_000
/** Jitter shortens by up to a tenth: times are taken from outside that span, so that the model needs none. */
const TTL = { verdict: '20m', unlisted: '10m', error: '60s' } as const
const TTLS = { listed: 20 * MINUTE, unlisted: 10 * MINUTE }

type Say = number | 'unlisted' | 'error'
type Step = { readonly say: Say } | { readonly pass: number } | 'request'

const say: fc.Arbitrary<Say> = fc.oneof(fc.nat(100), fc.constantFrom('unlisted' as const, 'error' as const))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: say.map((each) => ({ say: each })) },
  { weight: 2, arbitrary: fc.constantFrom(1, 5, 30, 120).map((minutes) => ({ pass: minutes * MINUTE })) },
  { weight: 4, arbitrary: fc.constant('request' as const) },
)

interface Model {
  told: { readonly score: number | undefined; readonly at: number; readonly ttl: number } | undefined
  failedAt: number
}

/** In between the answers might be good still or not, by the jitter: undefined then. */
function within(age: number, end: number): boolean | undefined {
  return age < end * 0.9 ? true : age >= end ? false : undefined
}

test('any history of answers, failures, time and requests comes to what the last good answer says, as long as it counts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      let current: Say = 'unlisted'
      const fake = fakeProvider({ ttl: TTL }, () => {
        if (current === 'error') throw failure('FAILED')
        return current === 'unlisted' ? undefined : { score: current }
      })
      const { guard, now, pass, clock } = reputationGuard({ providers: [fake], deny: 50, onUnknown: 'challenge' })
      const model: Model = { told: undefined, failedAt: Number.NEGATIVE_INFINITY }
      for (const each of steps) {
        if (each !== 'request') {
          if ('say' in each) current = each.say
          else await pass(each.pass)
          continue
        }
        const at = clock.now()
        const age = model.told ? at - model.told.at : 0
        // The jitter is of the TTL alone; what comes behind it has a fixed length.
        const fresh = model.told && within(age, model.told.ttl)
        const counts = model.told && (age < model.told.ttl * 4.9 ? true : age >= model.told.ttl * 5 ? false : undefined)
        const decision = now(IP)
        if (counts !== undefined || !model.told) {
          const expected = counts === true ? (Number(model.told?.score ?? -1) >= 50 ? 'deny' : 'allow') : 'challenge'
          expect(decision.action).toBe(expected)
        }
        const before = fake.calls.length
        await turn()
        const asked = fake.calls.length > before
        // What is fresh is never asked again; what is not is asked, unless it failed just now or has failed five times in a row.
        if (fresh === true) expect(asked).toBe(false)
        if (fresh === false || !model.told) {
          const resting = at - model.failedAt < MINUTE || guard.metrics().reputation.fake?.open === true
          if (!resting) expect(asked).toBe(true)
        }
        if (!asked) continue
        if (current === 'error') model.failedAt = at
        else
          model.told = {
            score: current === 'unlisted' ? undefined : current,
            at,
            ttl: TTLS[current === 'unlisted' ? 'unlisted' : 'listed'],
          }
      }
    }),
    { numRuns: 150 },
  )
}, 60_000)
