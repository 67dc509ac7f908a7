import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostName, isUnder, parseSuffix } from './host-name.ts'

describe('a PTR name is read as a host name', () => {
  test.each([
    ['crawl-66-249-66-1.googlebot.com', 'crawl-66-249-66-1.googlebot.com'],
    ['GOOGLEBOT.COM.', 'googlebot.com'],
    ['a.b.', 'a.b'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  ])('%s', (name, host) => expect(hostName(name)).toBe(host))

  test.each([
    ['one label', 'localhost'],
    ['nothing', ''],
    ['the root', '.'],
    ['two dots at the end', 'googlebot.com..'],
    ['an empty label', 'a..googlebot.com'],
    ['a dot in front', '.googlebot.com'],
    ['an IPv4 address', '66.249.66.1'],
    ['an IPv6 address', '2001:4860:4801::1'],
    ['a label of 64', `${'a'.repeat(64)}.googlebot.com`],
    ['254 characters', `${'a.'.repeat(120)}googlebot.comx`],
    ['a very long one', `${'a.'.repeat(100_000)}googlebot.com`],
    ['a hyphen in front', '-a.googlebot.com'],
    ['a hyphen at the end', 'a-.googlebot.com'],
    ['an underscore', 'a_b.googlebot.com'],
    ['a space', 'a b.googlebot.com'],
    ['a null byte', 'evil.example\0.googlebot.com'],
    ['a line break', 'a.googlebot.com\n'],
    ['a wildcard', '*.googlebot.com'],
    ['a letter that becomes one of ASCII in lower case', 'a.yande\u212A.com'],
    ['another dot', 'a\u3002googlebot.com'],
    ['a number', 66],
    ['an object', { toString: () => 'a.googlebot.com' }],
    ['undefined', undefined],
  ])('%s is none', (_what, name) => expect(hostName(name)).toBeUndefined())
})

describe('a suffix', () => {
  const under = (host: string, suffix: string): boolean => {
    const parsed = parseSuffix(suffix)
    const name = hostName(host)
    return parsed !== undefined && name !== undefined && isUnder(name, parsed)
  }

  test.each([
    ['crawl-66-249-66-1.googlebot.com', 'googlebot.com', true],
    ['geo-crawl-1.geo.googlebot.com', 'googlebot.com', true],
    ['Crawl-1.GoogleBot.COM.', 'googlebot.com', true],
    ['googlebot.com', 'googlebot.com', true],
    ['evilgooglebot.com', 'googlebot.com', false],
    ['googlebot.com.evil.example', 'googlebot.com', false],
    ['crawl-1.googlebot.com.evil.example', 'googlebot.com', false],
    ['googlebot.com-evil.example', 'googlebot.com', false],
    ['googlebot.co', 'googlebot.com', false],
    ['com', 'googlebot.com', false],
    ['rate-limited-proxy-66-249-90-77.google.com', 'rate-limited-proxy-*.google.com', true],
    ['RATE-limited-proxy-1.google.com.', 'rate-limited-proxy-*.google.com', true],
    ['rate-limited-proxy-.google.com', 'rate-limited-proxy-*.google.com', false],
    ['google.com', 'rate-limited-proxy-*.google.com', false],
    ['mail.google.com', 'rate-limited-proxy-*.google.com', false],
    ['x.rate-limited-proxy-1.google.com', 'rate-limited-proxy-*.google.com', false],
    ['rate-limited-proxy-1.x.google.com', 'rate-limited-proxy-*.google.com', false],
    ['rate-limited-proxy-1.google.com.evil.example', 'rate-limited-proxy-*.google.com', false],
    ['rate-limited-proxy-1.evilgoogle.com', 'rate-limited-proxy-*.google.com', false],
    ['x.example.org', '*.example.org', true],
    ['example.org', '*.example.org', false],
  ])('%s under %s: %s', (host, suffix, expected) => expect(under(host, suffix)).toBe(expected))

  test.each([
    'com',
    '',
    '.',
    '*',
    '*.com',
    'a*b.example.com',
    'a.*.example.com',
    '*.*.example.com',
    '10.0.0.1',
    'crawl_*.example.com',
    'exa mple.com',
    `${'a'.repeat(64)}*.example.com`,
    7,
    undefined,
  ])('%s is none', (text) => expect(parseSuffix(text)).toBeUndefined())

  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
  const domain = fc.array(label, { minLength: 2, maxLength: 5 }).filter((labels) => !/^\d+$/.test(labels.at(-1) ?? ''))

  test('holds exactly for the names whose last labels are its own, however they are spelled', () => {
    fc.assert(
      fc.property(
        domain,
        domain,
        fc.array(label, { maxLength: 3 }),
        fc.boolean(),
        fc.boolean(),
        (suffix, other, front, dot, upper) => {
          const spell = (labels: readonly string[]): string => {
            const text = labels.join('.') + (dot ? '.' : '')
            return upper ? text.toUpperCase() : text
          }
          expect(under(spell([...front, ...suffix]), suffix.join('.'))).toBe(true)
          const ends = other.slice(-suffix.length).join('.') === suffix.join('.')
          expect(under(spell(other), suffix.join('.'))).toBe(ends)
          // Whatever stands behind the suffix, or before it without a dot, makes another name of it.
          expect(under(spell([...front, ...suffix, 'evil', 'example']), suffix.join('.'))).toBe(
            [...front, ...suffix, 'evil', 'example'].slice(-suffix.length).join('.') === suffix.join('.'),
          )
          expect(under(spell([`x${suffix[0]}`, ...suffix.slice(1)]), suffix.join('.'))).toBe(false)
        },
      ),
    )
  })

  test('no text at all makes it throw, and what is accepted is LDH', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.domain(), fc.ipV4(), fc.ipV6()), (text) => {
        const host = hostName(text)
        if (host !== undefined) expect(host).toMatch(/^[a-z0-9.-]{3,253}$/)
        parseSuffix(text)
      }),
    )
  })

  test.each([`${'a'.repeat(253)}`, `${'-'.repeat(254)}`, `${'a-'.repeat(127)}`, `${'a.'.repeat(126)}_`])(
    'a hostile name costs next to nothing: %#',
    (name) => {
      const started = performance.now()
      for (let i = 0; i < 1_000; i++) hostName(name)
      expect(performance.now() - started).toBeLessThan(500)
    },
  )
})
