import type { Category } from '../reputation/category.ts'
import { fuse, type Voice } from '../reputation/fuse.ts'
import type { Action } from './decision.ts'

/** From the weakest to the strongest. */
const ACTIONS: readonly Action[] = ['allow', 'limit', 'challenge', 'deny']

/** What a policy does at which score and for which categories. */
export interface Rules {
  readonly deny: number
  readonly challenge: number
  readonly limit: number
  /** An action, or a score that joins the fusion once. */
  readonly categories: ReadonlyMap<Category, Exclude<Action, 'allow'> | number>
}

export interface Judgement {
  readonly action: Action
  readonly score: number
  /** The scores of categories that have joined. */
  readonly added: readonly { readonly category: Category; readonly score: number }[]
}

export interface Judge {
  /** What these come to: the strongest of what the score and each category ask for. */
  judge(voices: readonly (Voice & { readonly categories?: readonly Category[] | undefined })[]): Judgement
  /** The strongest that it could come to, were the worst told by others with these weights too. */
  worst(voices: readonly Voice[], weights: readonly number[]): Action
}

export function createJudge(rules: Rules): Judge {
  const scored = [...rules.categories].flatMap(([category, score]) =>
    typeof score === 'number' ? [{ category, score }] : [],
  )
  const acted = [...rules.categories.values()].filter((each) => typeof each === 'string')

  const byScore = (score: number): Action =>
    score >= rules.deny ? 'deny' : score >= rules.challenge ? 'challenge' : score >= rules.limit ? 'limit' : 'allow'

  /** Of nobody: what every address is met with that is not known. */
  const nothing: Judgement = Object.freeze({ action: byScore(0), score: 0, added: Object.freeze([]) })

  return {
    judge(voices) {
      if (voices.length === 0) return nothing
      const named = new Set(voices.flatMap(({ categories = [] }) => categories))
      const added = scored.filter(({ category }) => named.has(category))
      const score = fuse(voices, added)
      const actions = [...named]
        .map((category) => rules.categories.get(category))
        .filter((each) => typeof each === 'string')
      return { action: strongest([byScore(score), ...actions]), score, added }
    },
    worst(voices, weights) {
      const most = fuse([...voices, ...weights.map((weight) => ({ score: 100, weight }))], scored)
      return strongest([byScore(most), ...acted])
    },
  }
}

/** An action that is not known counts as the strongest. */
function strongest(actions: readonly Action[]): Action {
  const ranks = actions.map((action) => ACTIONS.indexOf(action))
  return ranks.includes(-1) ? 'deny' : (ACTIONS[Math.max(...ranks)] ?? 'deny')
}
