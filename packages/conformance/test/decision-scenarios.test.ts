import type { Decision } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { decideAlone, decisionScenarios } from '../src/index.ts'
import { partsStore } from './adapter-store.ts'

describe.each(decisionScenarios)('$name', (scenario) => {
  it('is decided by core alone as the data says', async () => {
    expect(await decideAlone(scenario, partsStore())).toEqual(scenario.decisions)
  })

  it('has a decision for each step, refusals and allowances', () => {
    expect(scenario.decisions.length).toBe(scenario.steps.length)
    const actions = scenario.decisions.map((text) => (JSON.parse(text) as Decision).action)
    expect(actions).toContain('allow')
    expect(actions.filter((action) => action !== 'allow').length).toBeGreaterThan(2)
  })
})
