/** What an adapter can get wrong, and the names of the cases that tell. */
export const faults = {
  'takes the leftmost forwarded address for the peer': [
    ...byteForByte(
      'clients of a proxy, lists and limits',
      'strikes and bans as time goes by',
      'the peer itself, policies of paths, shadow and failures',
    ),
    'client: no header changes it, where none is configured',
    'client: no header changes it, where the peer is not a trusted proxy',
    'client: the last line of a repeated header is the proxy’s',
    'client: a flood of header lines does not push out the proxy’s',
    'client: an IPv4 peer of a dual-stack listener is its IPv4 address',
    'client: a connection without an address is no client, and comes in by no allow list',
    ...overHttp(
      'socket only',
      'x-forwarded-for',
      'x-forwarded-for without an address in the trusted slot',
      'x-forwarded-for through a chain',
      'x-forwarded-for by hops',
      'x-forwarded-for, trust by peer',
      'x-forwarded-for, named trust',
      'forwarded',
      'x-real-ip',
      'nginx realip',
      'realclientip-go, count',
      'realclientip-go, range',
    ),
  ],
  'reads the first of repeated lines only': [
    ...byteForByte('clients of a proxy, lists and limits'),
    'client: the last line of a repeated header is the proxy’s',
    'client: a flood of header lines does not push out the proxy’s',
    ...overHttp(
      'x-forwarded-for',
      'x-forwarded-for without an address in the trusted slot',
      'x-forwarded-for by hops',
      'forwarded',
      'forwarded after a caller’s quotes',
      'x-real-ip',
      'nginx realip',
      'realclientip-go, count',
    ),
  ],
  'reads the URL that is left behind a prefix': [
    'path: an adapter under a prefix sees the whole path',
    'path: an adapter under a prefix does not take the rest for the whole path',
  ],
  'calls the handler twice': [
    'answer: byte for byte the unguarded one, where nothing counts',
    'answer: byte for byte the unguarded one, where headers are off',
    'answer: the unguarded one with RateLimit headers',
    'answer: one request reaches its handler once',
    'answer: a handler reads the whole body',
    'decision: a guard of one route adds its policies there, and counts the others once',
    'decision: one that takes time is waited for, and the body with it',
    'decision: a handler strikes, and the ladder bans',
    'client: a connection without an address is no client, and comes in by no allow list',
  ],
  'calls the handler after a refusal': [
    'refusal: a denial is answered as reply() says, whatever is accepted',
    'refusal: a limit is answered as reply() says, whatever is accepted',
    'refusal: a ban is answered as reply() says, whatever is accepted',
    'refusal: a challenge is answered as reply() says, whatever is accepted',
    'refusal: a header in which the client cannot be read is no client',
    'refusal: POST is refused as reply() says, before its body is read',
    'decision: a guard of one route adds its policies there, and counts the others once',
    'decision: a policy that throws denies where its onError says so',
    'decision: one that takes time is waited for, and the body with it',
    'client: a connection without an address is no client, and comes in by no allow list',
    'path: an adapter under a prefix sees the whole path',
    'path: no spelling reaches a handler behind a denial of its path',
    'path: no spelling reaches a handler by an exception for another path',
    'path: what a request says its path or method is in a header changes nothing',
    'path: what the Host header says changes nothing',
  ],
  'does not wait for decisions': ['decision: one that takes time is waited for, and the body with it'],
  'reads the body away': [
    'answer: byte for byte the unguarded one, where nothing counts',
    'answer: byte for byte the unguarded one, where headers are off',
    'answer: the unguarded one with RateLimit headers',
    'answer: a handler reads the whole body',
    'decision: one that takes time is waited for, and the body with it',
  ],
  'does not say which request it is': [
    'decision: one guard mounted twice counts a request once',
    'decision: two guards with one limit on one store count a request once',
    'decision: a guard of one route adds its policies there, and counts the others once',
  ],
  'adds a header of its own': [
    'answer: byte for byte the unguarded one, where nothing counts',
    'answer: byte for byte the unguarded one, where headers are off',
    'answer: the unguarded one with RateLimit headers',
    'answer: the unguarded one with RateLimit headers, where no handler is',
  ],
  'always answers in text': [
    'refusal: a denial is answered as reply() says, whatever is accepted',
    'refusal: a limit is answered as reply() says, whatever is accepted',
    'refusal: a ban is answered as reply() says, whatever is accepted',
    'refusal: a challenge is answered as reply() says, whatever is accepted',
    'refusal: a header in which the client cannot be read is no client',
    'refusal: HEAD is answered as reply() says, without a body',
    'refusal: POST is refused as reply() says, before its body is read',
    'upgrade: a refused one is answered as reply() says, and its listener hears nothing',
  ],
  'forgets the RateLimit headers': [
    'answer: the unguarded one with RateLimit headers',
    'answer: the unguarded one with RateLimit headers, where no handler is',
    'answer: exposeHeaders lets other origins read the RateLimit headers',
    'refusal: a limit is answered as reply() says, whatever is accepted',
    'refusal: exposeHeaders lets other origins read it',
    'decision: a guard of one route adds its policies there, and counts the others once',
  ],
  'sends RateLimit headers where they are off': [
    'answer: byte for byte the unguarded one, where headers are off',
    'refusal: without RateLimit headers where they are off',
  ],
  'forgets the facts': [
    'decision: policies are given the facts',
    'decision: facts that throw are a server error, and nobody comes in',
  ],
  'lets in whom facts fail for': ['decision: facts that throw are a server error, and nobody comes in'],
  'hands the handler nothing': [
    'decision: the handler sees it',
    'decision: a handler strikes, and the ladder bans',
    'decision: a handler gives back what a request consumed',
  ],
  'forgets HEAD': ['refusal: HEAD is answered as reply() says, without a body'],
  'leaves upgrades alone': [
    'upgrade: a refused one is answered as reply() says, and its listener hears nothing',
    'upgrade: handshakes count as requests do',
  ],
  'loses what follows a handshake': [
    'upgrade: one that is let in reaches its listener once, with what follows the handshake',
    'upgrade: nothing is lost while a decision takes time',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type Fault = keyof typeof faults

function byteForByte(...scenarios: readonly string[]): readonly string[] {
  return scenarios.map((scenario) => `decision: byte for byte what core alone decides: ${scenario}`)
}

function overHttp(...groups: readonly string[]): readonly string[] {
  return groups.map((group) => `client over HTTP: ${group}`)
}
