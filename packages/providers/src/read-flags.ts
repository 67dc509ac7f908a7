import type { Category } from '@ipguard/core'
import { type Fields, flag } from './read-json.ts'

/**
 * The categories whose flags are set, each once. Undefined when not one of these flags could be read: an answer that says nothing is not clean.
 */
export function readFlags(
  fields: Fields | undefined,
  names: Readonly<Record<string, Category>>,
): readonly Category[] | undefined {
  const found = new Set<Category>()
  let isKnown = false
  for (const [name, category] of Object.entries(names)) {
    const value = flag(fields?.[name])
    if (value !== undefined) isKnown = true
    if (value) found.add(category)
  }
  return isKnown ? [...found] : undefined
}
