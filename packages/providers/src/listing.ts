import { CATEGORIES, type Category, checkOptions, invalidOption } from '@ipguard/core'
import { list } from './read-json.ts'

/** What being listed stands for. A number is the score; 0: no listing. */
export type Listing =
  | number
  | {
      /** 0 to 100; 0: no listing. */
      readonly score: number
      readonly categories?: readonly Category[]
      /** The list's own word, for the evidence. */
      readonly label?: string
    }

export interface CompiledListing {
  readonly score: number
  readonly categories: readonly Category[]
  readonly label: string | undefined
}

/** @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN` */
export function compileListing(listing: Listing, option: string): CompiledListing {
  if (typeof listing === 'number') return compileListing({ score: listing }, option)
  checkOptions(listing, ['score', 'categories', 'label'], option)
  const { score, categories = [], label } = listing
  if (!(typeof score === 'number' && score >= 0 && score <= 100)) {
    throw invalidOption(`${option}.score`, score, 'a number from 0 to 100')
  }
  const known: ReadonlySet<unknown> = new Set(CATEGORIES)
  const strange = (list(categories) ?? [categories]).find((each) => !known.has(each))
  if (strange !== undefined) throw invalidOption(`${option}.categories`, strange, `any of: ${CATEGORIES.join(', ')}`)
  return { score, categories, label }
}
