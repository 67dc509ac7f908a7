import { createHash } from 'node:crypto'

/** A Lua script and the name under which the server knows it once it was run. */
export interface Script {
  readonly text: string
  readonly sha: string
}

export function createScript(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
