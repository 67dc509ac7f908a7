import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRedactor } from './redact.ts'

const IP = '45.155.205.10'
const redact = createRedactor([])
const at = (text: string, ip = IP) => redact(text, ip)

describe('a message without its secrets', () => {
  test.each([
    ['5 failed logins from 45.155.205.10', '5 failed logins from 45.155.205.10'],
    ['ipguard: 5 strikes on limit "failed-logins-per-account" within 15m', undefined],
    ['GET /wp-login.php at 12:34:56', undefined],
    ['one\r\ntwo\u0000three\u001b[31m\u2028four', 'one two three [31m four'],
    ['a\u202eb\u200bc\ufeffd', 'abcd'],
    ['seen with jane@example.org and 8.8.8.8', 'seen with [redacted] and [redacted]'],
    ['mail jane.doe%40example.org', 'mail [redacted]'],
    ['to jane+tag@例え.jp now', 'to [redacted] now'],
    ['GET /reset?token=abc&user=1 HTTP/1.1', 'GET /reset?[redacted] HTTP/1.1'],
    ['https://jane:pw@host.example/x', '[redacted]'],
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization:[redacted]'],
    ['with Bearer abc.def-1 twice', 'with Bearer [redacted] twice'],
    ['Cookie: a=1; b=2\nnext line', 'Cookie:[redacted] next line'],
    ['x-api-key: 1 2 3', 'x-api-key:[redacted]'],
    ['password=hunter2 tries=5', 'password=[redacted] tries=5'],
    ['password="correct horse" tries=5', 'password=[redacted] tries=5'],
    ['{"sessionId":"abc","n":1}', '{"sessionId":[redacted]'],
    ['<secret>abc</secret>', '<secret>[redacted]'],
    ['csrf%3Dabc', 'csrf%3D[redacted]'],
    ['accessToken => abc', 'accessToken =[redacted]'],
    ['jwt eyJhbGciOi.eyJzdWIi.c2ln end', 'jwt [redacted] end'],
    ['id 550e8400-e29b-41d4-a716-446655440000', 'id [redacted]'],
    ['hash 0123456789abcdef0123', 'hash [redacted]'],
    ['run abcdefghijklmnopqrst', 'run [redacted]'],
    ['card 4111 1111 1111 1111.', 'card [redacted].'],
    ['card 4111.1111.1111.1111 or 3782.822463.10005', 'card [redacted] or [redacted]'],
    ['from 195.154.205.110 404 12', 'from [redacted] 404 12'],
    ['from 2a02%3A1234%3A%3A1 and 2a02%253a1234%253a%253a2', 'from [redacted] and [redacted]'],
    ['from 203%2E0%2E113%2E5, 45%2e155%2e205%2e10', 'from [redacted], 45.155.205.10'],
    ['to joe%2540shop.example', 'to [redacted]'],
    ['to joe\\u0040shop.example', 'to [redacted]'],
    ['from ::ffff:45.155.205.10 to 2001:DB8::1', 'from ::ffff:45.155.205.10 to [redacted]'],
    ['mac aa:bb:cc:dd:ee:ff', 'mac [redacted]'],
    ['host ip-10-1-2-3.local', 'host ip-[redacted].local'],
  ])('%j', (text, expected) => {
    expect(at(text)).toBe(expected ?? text)
  })

  test('keeps the reported IPv6 address in any spelling, and no other', () => {
    const ip = '2a00:1450:4001::7'
    expect(at('2a00:1450:4001::7, 2A00:1450:4001:0:0:0:0:7. 2a00:1450:4001::8', ip)).toBe(
      '2a00:1450:4001::7, 2A00:1450:4001:0:0:0:0:7. [redacted]',
    )
  })

  test('is at most 1,000 characters, and ends with a whole one', () => {
    expect(at('ab '.repeat(1000))).toHaveLength(1000)
    expect(at(`${'a '.repeat(499)}x😀`)).toHaveLength(999)
  })

  test('a secret that another one begins with leaves nothing of the longer one', () => {
    expect(createRedactor(['hunter2', 'hunter2-admin'])('with hunter2-admin or hunter2', IP)).toBe(
      'with [redacted] or [redacted]',
    )
  })

  test.each([
    ['a/b/hunter', String.raw`a\/b\/hunter`],
    ['pässwörd', String.raw`p\u00e4ssw\u00F6rd`],
    ['<a&b>c', String.raw`\u003ca\u0026b\u003ec`],
    ['a\\u0041bc\\', String.raw`a\u0041bc\/x`],
    ['a\\b/c"d', String.raw`a\\b\/c\"d`],
    ['ab\ncd', String.raw`ab\u000acd`],
  ])('the secret %j in JSON that is escaped more than it needs: %s', (secret, text) => {
    const parts = createRedactor([secret])(`is ${text}`, IP).split('[redacted]')
    expect(parts).toEqual(['is ', text.endsWith('x') ? '/x' : ''])
  })

  test('the own function comes first, and one that throws or answers no text is told', () => {
    const own = createRedactor([], (text) => text.replace('Jane', 'J. jane@example.org'))
    expect(own('by Jane', IP)).toBe('by J. [redacted]')
    expect(() => createRedactor([], () => undefined as never)('x', IP)).toThrow('no text')
  })
})

test.each([
  ['a', 'a'],
  ['hex', 'f'],
  ['spaces', ' '],
  ['line ends', '\n'],
  ['@', '@'],
  ['colons', ':'],
  ['equal signs', '='],
  ['question marks', '?'],
  ['eyJ', 'eyJ'],
  ['digits', '1'],
  ['1.', '1.'],
  ['1-', '1 '],
  ['a:', 'a:'],
  ['key=', 'key='],
  ['password:', 'password:'],
  ['bearer', 'bearer '],
  ['quotes', 'key="'],
  ['high surrogates', '\ud800'],
  ['%40', '%40'],
  ['zero-width', '\u200b'],
])('1 MB of %s takes no longer than it takes to look', (_name, piece) => {
  const secrets = createRedactor(['hunter2-hunter2', 'aaaaaaaaab'])
  const text = piece.repeat(Math.ceil(1_000_000 / piece.length))
  secrets(text, IP)
  // The quickest of several: others share the machine.
  const times = Array.from({ length: 5 }, () => {
    const begun = performance.now()
    expect(secrets(text, IP).length).toBeLessThanOrEqual(1000)
    return performance.now() - begun
  })
  expect(Math.min(...times)).toBeLessThan(25)
})

const noise = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.lorem({ maxCount: 20 }), fc.webUrl())
const bytes = fc.uint8Array({ minLength: 15, maxLength: 60 }).filter((each) => new Set(each).size > 8)
const toBinary = (array: Uint8Array): string => String.fromCharCode(...array)
const hidden = fc.oneof(
  bytes.map((each) => Buffer.from(each).toString('hex')),
  bytes.map((each) => btoa(toBinary(each))),
  bytes.map((each) => btoa(toBinary(each)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')),
  fc.emailAddress(),
  fc.ipV4().filter((ip) => ip !== IP),
  fc.ipV6().filter((ip) => ip.length > 2),
)
const word = fc.stringMatching(/^[a-zA-Z0-9!*_~^]{6,40}$/)

describe('random messages', () => {
  test('never let through what has the form of a secret', () => {
    fc.assert(
      fc.property(noise, hidden, noise, (before, secret, after) => {
        fc.pre(!at(`${before} ${after}`).includes(secret))
        expect(at(`${before} ${secret} ${after}`)).not.toContain(secret)
      }),
      { numRuns: 2000 },
    )
  })

  test('never let through what follows the name of a secret', () => {
    const name = fc.constantFrom(
      'password',
      'api_key',
      'X-Auth-Token',
      'Cookie',
      'session',
      'client_secret',
      'Authorization',
    )
    const glue = fc.constantFrom('=', ': ', ':', '="', ' = ', '":"', "': '", ' => ')
    fc.assert(
      fc.property(noise, name, glue, word, noise, (before, key, between, secret, after) => {
        fc.pre(!at(`${before} ${after}`).includes(secret))
        expect(at(`${before} ${key}${between}${secret} ${after}`)).not.toContain(secret)
      }),
      { numRuns: 2000 },
    )
  })

  test('never let through a configured secret: plain, in URLs, in JSON, in hex, in base64 at any place', () => {
    const secret = fc.oneof(
      fc.string({ minLength: 6, maxLength: 60 }).filter((text) => text.trim().length >= 6),
      fc.string({ unit: 'grapheme', minLength: 6, maxLength: 30 }).filter((text) => text.trim().length >= 6),
    )
    const encode = (text: string, form: number, lead: string, tail: string): string => {
      const base64 = Buffer.from(`${lead}${text}${tail}`).toString('base64')
      return [
        text,
        encodeURIComponent(text),
        encodeURIComponent(text).toLowerCase(),
        JSON.stringify(text),
        Buffer.from(text).toString('hex'),
        base64,
        base64.replaceAll('+', '-').replaceAll('/', '_'),
        encodeURIComponent(base64),
      ][form]!
    }
    fc.assert(
      fc.property(
        noise,
        secret,
        fc.nat(7),
        fc.string({ maxLength: 5 }),
        fc.string({ maxLength: 5 }),
        noise,
        (before, text, form, lead, tail, after) => {
          const mine = createRedactor([text])
          const out = mine(`${before}${encode(text, form, lead, tail)}${after}`, IP)
          const forms = [0, 1, 3, 4].map((each) => encode(text, each, '', ''))
          fc.pre(!'[redacted]'.includes(text))
          for (const each of forms) expect(out).not.toContain(each)
          // What stands between the ends of the base64 text is the secret's alone.
          for (const gap of ['', 'x', 'xx']) {
            const inside = Buffer.from(`${gap}${text}`).toString('base64').replace(/=+$/, '').slice(4, -2)
            if (inside.length >= 8) expect(out).not.toContain(inside)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('a secret at the end of what is looked at is not cut in half', () => {
    const secret = 'correct horse battery staple'
    const mine = createRedactor([secret])
    // Long runs make room in what is sent, so that the end of what is looked at comes into it.
    const filler = `${'x'.repeat(250)} `.repeat(50)
    for (let i = 0; i < 300; i++) {
      const out = mine(`${filler.slice(0, 8192 + i)}${secret}${'y'.repeat(10)}`, IP)
      expect(out).not.toMatch(/corr|hors|batt/)
      expect(out.length).toBeLessThan(1000)
    }
  })
})
