import { describe, IpGuardError } from '@ipguard/core'
import { type Deadline, startDeadline } from '../http/deadline.ts'
import { providerStream } from '../http/provider-fetch.ts'
import { retryAfterOf } from '../http/retry-after.ts'
import type { FeedSettings } from './feed-options.ts'
import { isAhead } from './is-ahead.ts'
import type { FeedBody } from './read-pieces.ts'

/** What a source calls a version of its list. */
export interface Validators {
  readonly etag?: string
  readonly lastModified?: string
}

export interface Opened extends Validators {
  /** Undefined: the version that was named is still the newest. */
  readonly body: FeedBody | undefined
}

/** Asks the source for its list, unless it still has the version that is known. */
export async function openSource(settings: FeedSettings, known: Validators, signal: AbortSignal): Promise<Opened> {
  if (settings.url !== undefined) return openUrl(settings, settings.url, known, signal)
  const { name, timeout } = settings
  const late = (): Error =>
    new IpGuardError('IPGUARD_FEED_FAILED', `Feed ${name} did not come in full within ${timeout} ms.`)
  const deadline = startDeadline(timeout, signal, late, () => closedError(name))
  try {
    if (settings.file !== undefined) return await deadline.race(openFile(settings.file, known, deadline))
    const body = await deadline.race(Promise.resolve(settings.source?.({ signal: deadline.signal })))
    return { body: body && bounded(checkBody(body), deadline) }
  } catch (error) {
    deadline.clear()
    throw error
  }
}

/** The error of an attempt that a closed feed has given up. */
export function closedError(name: string): IpGuardError {
  return new IpGuardError('IPGUARD_FEED_FAILED', `Feed ${name} was closed.`)
}

async function openUrl(
  { headers = {}, timeout, fetch, clock }: FeedSettings,
  url: string,
  known: Validators,
  signal: AbortSignal,
): Promise<Opened> {
  const { etag, lastModified } = known
  // By a date to come, a server could say for good that nothing is new.
  const since = lastModified === undefined || isAhead(Date.parse(lastModified), clock) ? undefined : lastModified
  const isConditional = etag !== undefined || since !== undefined
  const {
    status,
    headers: answered,
    body,
  } = await providerStream(url, {
    headers: {
      accept: '*/*',
      ...(etag !== undefined && { 'if-none-match': etag }),
      ...(since !== undefined && { 'if-modified-since': since }),
      ...headers,
    },
    secrets: Object.values(headers),
    redirects: 3,
    // Counted where it is read: what is too large is refused, not failed.
    maxBytes: Number.MAX_SAFE_INTEGER,
    timeout,
    signal,
    ...(fetch && { fetch }),
  })
  if (status === 200) return { body, ...validatorsOf(answered) }
  // The first chunk is enough to end the exchange, and with it the deadline.
  for await (const _ of body) break
  if (status === 304 && isConditional) return { body: undefined, ...known, ...validatorsOf(answered) }
  const retryAfter = retryAfterOf(answered)
  throw new IpGuardError('IPGUARD_FEED_FAILED', `${new URL(url).host} answered ${status} instead of 200.`, {
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

function validatorsOf(headers: Headers): Validators {
  const etag = headers.get('etag')
  const lastModified = headers.get('last-modified')
  // Sent back as they are: only what a header can hold, and of a length that no list needs.
  const usable = (value: string | null): value is string => value !== null && /^[\x20-\x7e]{1,256}$/.test(value)
  return { ...(usable(etag) && { etag }), ...(usable(lastModified) && { lastModified }) }
}

/** A file's version is its time and size. */
async function openFile(path: string, known: Validators, deadline: Deadline): Promise<Opened> {
  const { createReadStream, promises } = fileSystem()
  const found = await promises.stat(path).catch((error: unknown) => {
    throw new IpGuardError('IPGUARD_FEED_FAILED', `The file ${describe(path)} cannot be read.`, { cause: error })
  })
  const etag = `"${found.mtimeMs}-${found.size}"`
  if (etag === known.etag) {
    deadline.clear()
    return { body: undefined, etag }
  }
  return { body: bounded(createReadStream(path, { highWaterMark: 65_536 }), deadline), etag }
}

/** Not imported: bundles for runtimes without files would trip over it. Node, Bun and Deno have it. */
function fileSystem(): typeof import('node:fs') {
  const { process } = globalThis as {
    readonly process?: { getBuiltinModule?(name: 'node:fs'): typeof import('node:fs') }
  }
  const found = process?.getBuiltinModule?.('node:fs')
  if (!found) throw new IpGuardError('IPGUARD_FEED_FAILED', 'This runtime has no files. Write a url or a source.')
  return found
}

function checkBody(body: FeedBody): FeedBody {
  if (typeof body === 'object' && body !== null && (Symbol.asyncIterator in body || Symbol.iterator in body))
    return body
  throw new IpGuardError('IPGUARD_FEED_FAILED', `The source answered ${describe(body)}, and no iterable of chunks.`)
}

/** A body that ends with the deadline, whatever its own end is. */
async function* bounded(body: FeedBody, deadline: Deadline): AsyncGenerator<Uint8Array | string, void, undefined> {
  const steps = Symbol.asyncIterator in body ? body[Symbol.asyncIterator]() : body[Symbol.iterator]()
  let isWhole = false
  try {
    for (;;) {
      const step = await deadline.race(Promise.resolve(steps.next()))
      isWhole = step.done === true
      if (step.done) return
      const { value } = step
      if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
        throw new IpGuardError('IPGUARD_FEED_FAILED', `The source gave ${describe(value)}. Give bytes or text.`)
      }
      yield value
    }
  } finally {
    deadline.clear()
    // Not waited for: a source that does not end when it is told to must not hold the feed.
    if (!isWhole) void Promise.resolve(steps.return?.()).catch(() => undefined)
  }
}
