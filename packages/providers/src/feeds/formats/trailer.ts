import { refusal } from '../refusal.ts'

export interface Trailer {
  /** Whether the line is the one that ends the list; it is not looked for again then. */
  meets(line: string): boolean
  /** Throws a refusal when the line did not come, or counts another number of records. */
  check(records: number): void
}

/** Knows by its last line whether a list has come whole. `{n}` stands for the number of records. */
export function createTrailer(end: string | undefined): Trailer {
  const [before = '', after] = end?.split('{n}') ?? []
  let seen: string | undefined
  return {
    meets(line) {
      if (end === undefined || seen !== undefined) return false
      const isIt = after === undefined ? line === before : line.startsWith(before) && line.endsWith(after)
      if (isIt) seen = line
      return isIt
    },
    check(records) {
      if (end === undefined) return
      if (seen === undefined) {
        throw refusal('truncated', `The list does not end with ${JSON.stringify(end)}: it was truncated.`)
      }
      const counted = after === undefined ? records : Number(seen.slice(before.length, seen.length - after.length))
      if (counted !== records) {
        throw refusal('truncated', `The list says that it has ${counted} entries, and ${records} came.`)
      }
    },
  }
}
