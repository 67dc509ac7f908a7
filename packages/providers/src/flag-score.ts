import { type Category, checkOptions, invalidOption } from '@ipguard/core'

/**
 * What each category counts for with providers that answer flags and no score of their own. From this project, not from a vendor: what
 * people hide behind counts less than what an attack has been seen from, and what honest people use every day counts little or nothing.
 */
export const FLAG_SCORES: Readonly<Record<Category, number>> = {
  vpn: 40,
  proxy: 50,
  'residential-proxy': 60,
  tor: 60,
  relay: 10,
  'enterprise-vpn': 0,
  hosting: 25,
  crawler: 0,
  abuse: 60,
  spam: 50,
  scanner: 50,
  'brute-force': 70,
  ddos: 60,
  phishing: 60,
  malware: 70,
  botnet: 70,
}

/** The scores of these categories together, at most 100; each counts once. */
export function flagScore(categories: readonly Category[], scores: Partial<Record<Category, number>> = {}): number {
  let sum = 0
  for (const category of new Set(categories)) sum += scores[category] ?? FLAG_SCORES[category]
  return Math.min(100, sum)
}

/**
 * Refuses what is no table of scores; for factories that take `scores`.
 *
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN` for what is no category; `IPGUARD_OPTION_INVALID` for what is no score.
 */
export function checkScores(scores: Partial<Record<Category, number>> | undefined, owner: string): void {
  if (scores === undefined) return
  checkOptions(scores, Object.keys(FLAG_SCORES), `${owner}.scores`)
  for (const [category, score] of Object.entries(scores)) {
    if (typeof score !== 'number' || !(score >= 0 && score <= 100)) {
      throw invalidOption(`${owner}.scores.${category}`, score, 'a number from 0 to 100')
    }
  }
}
