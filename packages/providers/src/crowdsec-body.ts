import { describe, IpGuardError } from '@ipguard/core'
import { createPauses } from './crowdsec-slices.ts'

/** Characters of one decision; real ones have some 200. */
const MOST = 65_536

/**
 * Reads `{"new":[...],"deleted":[...]}` from a stream and hands each object of these arrays on, as it comes.
 *
 * JSON.parse of the whole would hold the event loop: 100,000 decisions are some 20 MB. Here it goes on after at most 5 ms of work, and the text
 * is never there as a whole.
 *
 * @throws {IpGuardError} `IPGUARD_PROVIDER_ANSWER` when the body is anything else or ends early. What was handed on before is then to be dropped.
 */
export async function readObjects(
  body: AsyncIterable<Uint8Array>,
  take: (list: string, value: unknown) => void,
): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const scanner = createScanner(take)
  const rest = createPauses()
  for await (const chunk of body) {
    // Pieces, so that one large chunk is no long slice either.
    for (let at = 0; at < chunk.length; at += MOST) {
      scanner.push(decode(() => decoder.decode(chunk.subarray(at, at + MOST), { stream: true })))
      await rest()
    }
  }
  scanner.push(decode(() => decoder.decode()))
  scanner.end()
}

interface Scanner {
  push(text: string): void
  end(): void
}

const QUOTE = 34
const BACKSLASH = 92

/** Finds the objects in the arrays of one object; what is inside them is JSON.parse's business. */
function createScanner(take: (list: string, value: unknown) => void): Scanner {
  let held = ''
  let depth = 0
  let inText = false
  let escaped = false
  /** Where the text or the object began that is being read, in `held` and what follows. */
  let start = -1
  let name = ''
  let list = ''
  let done = false

  function step(code: number, at: number, text: string): void {
    if (inText) {
      if (escaped) escaped = false
      else if (code === BACKSLASH) escaped = true
      else if (code === QUOTE) {
        inText = false
        if (depth === 1) {
          name = text.slice(start, at)
          start = -1
        }
      }
    } else if (code === QUOTE) {
      if (depth === 0) throw unreadable(text)
      inText = true
      if (depth === 1) start = at + 1
    } else if (code === 123 || code === 91) {
      if (depth === 0 && (code !== 123 || done)) throw unreadable(text)
      if (depth === 1 && code === 91) list = name
      if (depth === 2 && code === 123) start = at
      depth++
    } else if (code === 125 || code === 93) {
      depth--
      if (depth < 0) throw unreadable(text)
      if (depth === 0) done = true
      if (depth === 1) list = ''
      if (depth === 2 && start >= 0) {
        if (list !== '') take(list, parse(text.slice(start, at + 1)))
        start = -1
      }
    } else if (depth === 0 && code > 32) throw unreadable(text)
  }

  return {
    push(more) {
      const text = held + more
      for (let at = held.length; at < text.length; at++) step(text.charCodeAt(at), at, text)
      held = start < 0 ? '' : text.slice(start)
      if (start >= 0) start = 0
      if (held.length > MOST) throw unreadable(held)
    },
    end() {
      if (!done || depth !== 0) throw new IpGuardError('IPGUARD_PROVIDER_ANSWER', 'The stream of decisions ends early.')
    },
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unreadable(text)
  }
}

function decode(run: () => string): string {
  try {
    return run()
  } catch (cause) {
    throw new IpGuardError('IPGUARD_PROVIDER_ANSWER', 'The stream of decisions is no UTF-8.', { cause })
  }
}

function unreadable(text: string): IpGuardError {
  return new IpGuardError(
    'IPGUARD_PROVIDER_ANSWER',
    `The stream of decisions is not what a CrowdSec Local API sends: ${describe(text.trim())}.`,
  )
}
