import { describe, expect, test } from 'vitest'
import { deny } from './lists.ts'
import { exceptPaths, type Matcher, matches, onMethods, onPaths } from './matcher.ts'
import { type PathForms, pathForms, requestForms } from './path-forms.ts'

function applies(when: Matcher | readonly Matcher[], url: string, strict = false, method = 'GET'): boolean {
  const request = { method, url, headers: new Headers() }
  return matches(when, { request, client: undefined, facts: undefined, paths: pathForms(url) }, strict)
}

describe('a policy that denies or limits', () => {
  test.each([
    ['/login', true],
    ['/login/', true],
    ['/LOGIN', true],
    ['/%6cogin', true],
    ['/x/../login', true],
    ['/login/x', false],
    ['/logins', false],
    ['/admin', true],
    ['/admin/users', true],
    ['/Admin//users', true],
    ['/administrator', false],
    ['/', false],
  ])("onPaths('/login', '/admin/*') meets %s: %s", (url, expected) => {
    expect(applies(onPaths('/login', '/admin/*'), url)).toBe(expected)
  })

  test.each([
    ['/health', false],
    ['/health/', true],
    ['/HEALTH', true],
    ['/x/../health', true],
    ['/health;x', true],
    ['/other', true],
  ])("exceptPaths('/health') meets %s: %s, as only the exact spelling is spared", (url, expected) => {
    expect(applies(exceptPaths('/health'), url)).toBe(expected)
  })
})

describe('a policy that allows', () => {
  test.each([
    ['/hook', true],
    ['/hook/', false],
    ['/HOOK', false],
    ['/x/../hook', false],
    ['/hook%2f', false],
  ])("onPaths('/hook') meets %s: %s, as every form must be meant", (url, expected) => {
    expect(applies(onPaths('/hook'), url, true)).toBe(expected)
  })

  test.each([
    ['/open', true],
    ['/admin', false],
    ['/ADMIN/', false],
    ['/x/../admin', false],
  ])("exceptPaths('/admin') meets %s: %s", (url, expected) => {
    expect(applies(exceptPaths('/admin'), url, true)).toBe(expected)
  })
})

test('a path with endless forms is met by what refuses, and lets nobody in', () => {
  const url = `/x${'/;%2e/./..//a\\b%252e'.repeat(60)}`
  for (const when of [onPaths('/a'), exceptPaths('/a'), onPaths('/x/*'), exceptPaths('/x/*')])
    expect([applies(when, url), applies(when, url, true)]).toEqual([true, false])
})

test("'/*' is every path", () => {
  for (const url of ['/', '/a', '//', '/%00', 'http://h', '*']) expect(applies(onPaths('/*'), url)).toBe(true)
})

test.each(['/café', '/caf%C3%A9', '/my file', '/my%20file'])('%s is what a policy that allows means by it', (path) => {
  for (const end of ['', '/x']) {
    const sent = encodeURI(decodeURI(path)) + end
    expect([applies(onPaths(`${path}/*`), sent, true), applies(exceptPaths(`${path}/*`), sent)]).toEqual([true, false])
  }
  expect(applies(onPaths('/x%2fy'), '/x/y', true)).toBe(false)
  expect(applies(onPaths('/x%2fy'), '/x%252fy', true)).toBe(false)
})

test('patterns are normalised as paths are', () => {
  expect(applies(onPaths('/Log%69n/'), '/login')).toBe(true)
})

test('GET stands for HEAD, methods know no case, and a list of matchers must hold together', () => {
  expect(applies(onMethods('get'), '/', false, 'HEAD')).toBe(true)
  expect(applies(onMethods('POST'), '/', false, 'GET')).toBe(false)
  expect(applies([onMethods('POST'), onPaths('/a')], '/a', false, 'POST')).toBe(true)
  expect(applies([onMethods('POST'), onPaths('/a')], '/b', false, 'POST')).toBe(false)
})

test.each([
  [() => onPaths(), 'onPaths is "nothing". Write at least one path'],
  [() => onPaths('login'), 'onPaths is "login". Write a path that starts with \'/\''],
  [() => onPaths('/a*'), 'onPaths is "/a*"'],
  [() => exceptPaths('/a/*/b'), 'exceptPaths is "/a/*/b"'],
  [() => onPaths('/users/:id'), 'onPaths is "/users/:id". Write a path as it is: parameters are not patterns here'],
  [() => exceptPaths('/{a,b}'), 'exceptPaths is "/{a,b}". Write a path as it is'],
  [
    () => deny(['192.0.2.1'], { when: /login/ as unknown as Matcher }),
    'Write onPaths(...) or a function: ({ url }) =>',
  ],
  [() => onMethods(), "onMethods is undefined. Write methods, like 'POST'."],
  [() => onMethods('PO ST'), 'onMethods is "PO ST"'],
])('a bad pattern is refused when it is made: %#', (make, message) => {
  expect(make).toThrow(message)
})

describe('another name of the path', () => {
  const named = (when: Matcher, strict: boolean): boolean => {
    const request = { method: 'GET', url: 'https://shop.example/fr/admin', names: ['/ADMIN/'], headers: new Headers() }
    return matches(when, { request, client: undefined, facts: undefined, paths: requestForms(request) }, strict)
  }

  test('is met by what refuses', () => {
    expect([onPaths('/admin'), onPaths('/fr/*'), onPaths('/other')].map((when) => named(when, false))).toEqual([
      true,
      true,
      false,
    ])
  })

  test('spares nobody what refuses, and lets nobody in', () => {
    expect([named(exceptPaths('/admin'), false), named(onPaths('/admin'), true)]).toEqual([true, false])
    expect(named(exceptPaths('/admin'), true)).toBe(false)
  })

  test('is met decoded too, and adds no more than a few forms to those of the path, however it is spelled', () => {
    const names = ['/%61dmin', `/${';a=b//./%2e%2e/\\%2F'.repeat(40)}`, '/x?y=/other']
    const { folded } = requestForms({ url: '/fr/admin', names })
    expect(folded).toEqual(expect.arrayContaining(['/fr/admin', '/%61dmin', '/admin', '/x']))
    expect([folded.includes('/other'), folded.length <= 2 + 4 * names.length]).toEqual([false, true])
  })
})

describe('the data of a page', () => {
  const url = (path: string): PathForms => requestForms({ url: path })
  const named = (when: Matcher, path: string, strict: boolean): boolean => {
    const request = { method: 'GET', url: path, headers: new Headers() }
    return matches(when, { request, client: undefined, facts: undefined, paths: url(path) }, strict)
  }

  test.each([
    '/admin/__data.json',
    '/Admin/__data.json?x-sveltekit-invalidated=01',
    '/admin/_payload.json?hash',
    '/admin/_payload.a1b2.js',
    '/admin/_payload-json',
    '/admin/q-data.json',
    '/admin.data?_routes=root',
    '/admin/_.data',
    '/%61dmin.data/',
    '/admin.rsc',
    '/admin/_.rsc',
    'https://shop.example/x/../admin/__data.json',
  ])('%s is met by what refuses the page, and lets nobody in', (path) => {
    expect([named(onPaths('/admin'), path, false), named(onPaths('/admin'), path, true)]).toEqual([true, false])
    expect(named(exceptPaths('/admin'), path, true)).toBe(false)
  })

  test.each([
    ['/__data.json', '/'],
    ['/_payload.json', '/'],
    ['/_root.data', '/'],
    ['/_.data', '/'],
    ['/help.html__data.json', '/help.html'],
    ['/a/b.data', '/a/b'],
  ])('%s is that of %s', (path, page) => {
    expect(named(onPaths(page), path, false)).toBe(true)
  })

  test.each(['/admin.database', '/admin.data/x', '/admin/data', '/admindata.json', '/admin.json', '/x.data'])(
    '%s is nothing of /admin',
    (path) => {
      expect(named(onPaths('/admin'), path, false)).toBe(false)
    },
  )

  test('is met by a rule that names it, which is none about the page', () => {
    expect(named(onPaths('/report.data'), '/report.data', true)).toBe(true)
    expect(named(onPaths('/report.data'), '/report', false)).toBe(false)
  })

  test('is found in time that grows with the length', () => {
    const long = `/${'.data/_.rsc__data.json'.repeat(4_000)}x`
    const start = performance.now()
    url(long)
    expect(performance.now() - start).toBeLessThan(1_000)
  })
})
