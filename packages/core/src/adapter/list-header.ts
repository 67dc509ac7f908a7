const LISTS = new Set(['vary', 'access-control-expose-headers'])

/**
 * Whether an answer's header is a list that others may have begun for a reason of their own: then values are added with `mergeList`, not
 * replaced. Told apart by length first: this runs for every header of every answer.
 */
export function isListHeader(name: string): boolean {
  return (name.length === 4 || name.length === 29) && LISTS.has(name.toLowerCase())
}

/** Both lists in one, each value once. */
export function mergeList(before: string, value: string): string {
  return [...new Set(`${before}, ${value}`.split(/\s*,\s*/))].join(', ')
}
