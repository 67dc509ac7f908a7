import type { ProviderSetup } from '@ipguard/conformance'
import { IpGuardError, type Provider, type Verdict } from '@ipguard/core'
import { fail, plainProvider, STEPS, type Steps } from './provider-plain.ts'

/** What a provider may get wrong, each as a change to a right one. */
export interface ProviderDefect {
  readonly name: string
  /** The names of the cases that fail, and no others. */
  readonly fails: readonly string[]
  /** It changes what all objects have in common: no other case may run beside it. */
  readonly alone?: boolean
  create(setup: ProviderSetup): Provider
}

const changed =
  (change: Partial<Steps>): ProviderDefect['create'] =>
  (setup) =>
    plainProvider(setup, change)

const verdict = (change: (right: Verdict | undefined) => Verdict | undefined): ProviderDefect['create'] =>
  changed({ verdict: (json, ip) => change(STEPS.verdict(json, ip)) })

const KNOWN = 'answer: an address that is known has a verdict, with everything in its range'
const UNLISTED = 'answer: an address that is not listed has none'
const SIX = 'answer: IPv6 is looked up, or said not to be supported'
const MIX = 'answer: look-ups at the same time do not mix'
const CARRIES = 'request: carries the address, as it was given, and nothing of a visitor'
const ORDER = 'request: answers that come in another order reach those who asked for them'
const BEFORE = 'time: aborted before it began, a look-up rejects and asks nobody'
const SILENT = 'time: aborted while the source is silent, a look-up rejects at once'
const SENT = 'time: aborted after the request was sent, it is given up, and others go on'
const DEADLINE = 'time: a silent source ends with IPGUARD_PROVIDER_TIMEOUT by the deadline'
const DRIP = 'time: a body that drips for ever ends by the deadline, which was one from the start'
const DOWN = 'status: a source that cannot be reached is IPGUARD_PROVIDER_FAILED, and never "not listed"'
const CLOSED = 'status: a refused connection is IPGUARD_PROVIDER_FAILED'
const QUOTA = 'status: 429 is IPGUARD_PROVIDER_QUOTA, and Retry-After in seconds is the wait in ms'
const DATE = 'status: Retry-After as a date is the wait in ms'
const WORDS = 'status: a used-up quota and a refusal in the own words of the source are told apart'
const FIVES = 'status: 500, 502 and 503 are IPGUARD_PROVIDER_FAILED, whatever the body says'
const REDIRECT = 'status: a redirect is not followed'
const GARBLED = 'body: what cannot be read is IPGUARD_PROVIDER_ANSWER, and never "not listed"'
const HTML = 'body: HTML with status 200 is no answer'
const TYPE = 'body: the type in its header decides nothing'
const OTHER = 'body: of another type than the source answers with is no answer'
const HALF = 'body: one that ends in the middle is no answer'
const ENDLESS = 'body: one that does not end is no answer, and is not read on'
const PROTO = 'body: __proto__ and other names of JavaScript in it change nothing'
const SECRET = 'secret: the key is in no error, neither as it is nor URL-encoded or in base64'
const GUARD = 'guard: nothing of a request reaches the source but the address'
const PRIVATE = 'guard: private and other special addresses are never sent out'
const NAME = 'answer: its name can stand in decisions and stores'

/** Copies one object into another, name by name, and so writes to what all objects have in common. */
function merge(into: object, from: object): object {
  for (const name of Object.keys(from)) {
    const value: unknown = Reflect.get(from, name)
    const present: unknown = Reflect.get(into, name)
    if (typeof value === 'object' && value !== null && typeof present === 'object' && present !== null)
      merge(present, value)
    else Reflect.set(into, name, value)
  }
  return into
}

export const providerDefects: readonly ProviderDefect[] = [
  {
    name: 'gives scores above 100',
    create: verdict((right) => right && { ...right, score: right.score * 10 }),
    fails: [KNOWN, SIX, ORDER],
  },
  {
    name: 'gives a category that there is not',
    create: verdict((right) => right && { ...right, categories: ['evil' as never] }),
    fails: [KNOWN, SIX, ORDER],
  },
  {
    name: 'gives its confidence in percent',
    create: verdict((right) => right && { ...right, confidence: 90 }),
    fails: [KNOWN, SIX, ORDER],
  },
  {
    name: 'says nothing bad of anybody',
    create: verdict(() => undefined),
    fails: [KNOWN, SIX, MIX, ORDER, SENT],
  },
  {
    name: 'gives a verdict of score 0 for "not listed"',
    create: verdict((right) => right ?? { score: 0 }),
    fails: [UNLISTED, MIX, ORDER, PROTO],
  },
  {
    name: 'is named with a blank',
    create: (setup) => ({ ...plainProvider(setup), name: 'my provider' }),
    fails: [NAME, GUARD, PRIVATE],
  },
  {
    name: 'cannot ask about IPv6, and does not say so',
    create: changed({
      request(ip, setup) {
        if (ip.includes(':')) throw fail('IPGUARD_PROVIDER_FAILED')
        return STEPS.request(ip, setup)
      },
    }),
    fails: [SIX, CARRIES],
  },
  {
    name: 'gives everybody the answer that came first',
    create(setup) {
      let first: Promise<Verdict | undefined> | undefined
      const right = plainProvider(setup)
      return {
        ...right,
        async lookup(ip, context) {
          first ??= Promise.resolve(right.lookup(ip, context))
          return first
        },
      }
    },
    fails: [MIX, CARRIES, ORDER, SENT, PROTO, GUARD],
  },
  {
    name: 'asks twice',
    create: (setup) => {
      const right = plainProvider(setup)
      return {
        ...right,
        async lookup(ip, context) {
          await right.lookup(ip, context)
          return right.lookup(ip, context)
        },
      }
    },
    fails: [CARRIES, ORDER, SENT, GUARD],
  },
  {
    name: 'passes on who asked',
    create: changed({
      request(ip, setup) {
        const { url, headers } = STEPS.request(ip, setup)
        return { url, headers: { ...headers, 'x-forwarded-for': ip } }
      },
    }),
    fails: [CARRIES],
  },
  {
    name: 'does not heed the signal',
    create: (setup) => {
      const right = plainProvider(setup)
      return { ...right, lookup: async (ip) => right.lookup(ip, { signal: new AbortController().signal }) }
    },
    fails: [BEFORE, SILENT, SENT],
  },
  {
    name: 'has no deadline of its own',
    create: (setup) => plainProvider({ ...setup, timeout: 60_000 }),
    fails: [DEADLINE, DRIP, SECRET],
  },
  {
    name: 'has a deadline for the head of the answer alone',
    create: changed({
      async send(url, init, signal) {
        const head = new AbortController()
        const abort = (): void => head.abort()
        signal.addEventListener('abort', abort)
        if (signal.aborted) abort()
        const response = await STEPS.send(url, init, head.signal)
        signal.removeEventListener('abort', abort)
        return response
      },
    }),
    fails: [DRIP],
  },
  {
    name: 'takes a failure for "not listed"',
    create: (setup) => {
      const right = plainProvider(setup)
      return {
        ...right,
        lookup: async (ip, context) => Promise.resolve(right.lookup(ip, context)).catch(() => undefined),
      }
    },
    fails: [
      BEFORE,
      SILENT,
      SENT,
      DEADLINE,
      DRIP,
      DOWN,
      CLOSED,
      QUOTA,
      DATE,
      WORDS,
      FIVES,
      REDIRECT,
      GARBLED,
      HTML,
      OTHER,
      HALF,
      ENDLESS,
      SECRET,
    ],
  },
  {
    name: 'calls everything a failure',
    create: changed({ error: () => fail('IPGUARD_PROVIDER_FAILED') }),
    fails: [DEADLINE, DRIP, QUOTA, DATE, WORDS, GARBLED, HTML, OTHER, HALF, ENDLESS],
  },
  {
    name: 'overlooks Retry-After',
    create: changed({
      error(error, url, isLate) {
        const right = STEPS.error(error, url, isLate)
        return right instanceof IpGuardError ? fail(right.code) : right
      },
    }),
    fails: [QUOTA, DATE],
  },
  {
    name: 'gives Retry-After in seconds',
    create: changed({
      error(error, url, isLate) {
        const right = STEPS.error(error, url, isLate)
        return right instanceof IpGuardError && right.retryAfter !== undefined
          ? fail(right.code, undefined, right.retryAfter / 1_000)
          : right
      },
    }),
    fails: [QUOTA, DATE],
  },
  {
    name: 'overlooks the own words of the source',
    create: changed({
      verdict: (json, ip) => (/quota/.test(JSON.stringify(json)) ? undefined : STEPS.verdict(json, ip)),
    }),
    fails: [WORDS],
  },
  {
    name: 'reads answers whatever their status',
    create: changed({ judge: () => undefined }),
    fails: [QUOTA, DATE, WORDS, FIVES, REDIRECT],
  },
  {
    name: 'follows redirects',
    create: changed({ send: async (url, init, signal) => fetch(url, { ...init, signal }) }),
    fails: [REDIRECT],
  },
  {
    name: 'judges by the type in the header',
    create: changed({
      judge(response, body) {
        STEPS.judge(response, body)
        if (response.headers.get('content-type') !== 'application/json') throw fail('IPGUARD_PROVIDER_ANSWER')
      },
    }),
    fails: [TYPE],
  },
  {
    name: 'takes what is not there for false',
    create: changed({
      verdict: (json, ip) => (Reflect.get(Object(json), 'listed') ? STEPS.verdict(json, ip) : undefined),
    }),
    fails: [WORDS, OTHER],
  },
  {
    name: 'looks for a word in the body',
    create: changed({
      parse: (body) => body,
      verdict: (body) => (/"listed":true|title/.test(String(body)) ? { score: 90, categories: ['abuse'] } : undefined),
    }),
    fails: [WORDS, GARBLED, HTML, OTHER, HALF, PROTO],
  },
  {
    name: 'reads on without end',
    create: changed({ body: async (response) => response.text() }),
    fails: [ENDLESS],
  },
  {
    name: 'copies the answer into an object name by name',
    create: changed({ parse: (body) => merge({}, Object(JSON.parse(body))) }),
    alone: true,
    fails: [PROTO],
  },
  {
    name: 'shows its key in a message',
    create: (setup) =>
      plainProvider(setup, {
        error(error, url, isLate) {
          const right = STEPS.error(error, url, isLate)
          return right instanceof IpGuardError
            ? fail(right.code, `It failed with ${encodeURIComponent(setup.key)}.`, right.retryAfter)
            : right
        },
      }),
    fails: [SECRET],
  },
  {
    name: 'hands on a cause with its key in base64',
    create: (setup) =>
      plainProvider(setup, {
        error(error, url, isLate) {
          const right = STEPS.error(error, url, isLate)
          const cause = new Error(`authorization: Basic ${Buffer.from(`user:${setup.key}`).toString('base64')}`)
          return right instanceof IpGuardError
            ? new IpGuardError(right.code, right.message, { cause, retryAfter: right.retryAfter ?? 0 })
            : right
        },
      }),
    fails: [SECRET],
  },
]
