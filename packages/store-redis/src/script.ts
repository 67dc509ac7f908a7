import { createHash } from 'node:crypto'

/** A Lua script and the name under which the server knows it once it was run. */
export interface Script {
  readonly text: string
  readonly sha: string
}

export function createScript(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/** The time as scripts take it: nothing, for the server's own; of a clock of the caller's, whole ms. */
export function timeArgument(clock: { now(): number } | undefined): string {
  return clock ? String(Math.floor(clock.now())) : ''
}
