import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pathForms } from './path-forms.ts'

test.each([
  '/ADMIN',
  '/admin/',
  '/%61dmin',
  '/./admin',
  '/x/../admin',
  '/%2e/admin',
  '/x/%2e%2e/admin',
  'http://h/admin',
  'HTTP://h:80/admin?x=1',
  '//admin',
  '/admin;x',
  '/admin;x=1/',
  '/admin;x/index(',
  '/%61dmin;/../public',
  'http://u:p@h/admin;x=1/^',
  '/ADMIN/;/mounted/../_../',
  '//h/admin',
  '/admin%00',
  '/admin.',
  '/admin%20',
  '/\\admin',
  '\\admin',
  '/x/%2E%2E\\admin',
  '/x/..;/admin',
  '/admin#f',
  '/admin?',
  '/%41DMIN//',
  '/a/b/../../admin',
  '/..//admin',
  '/x//../admin',
  '/x/%2f../admin',
  '/admin/%2e/..',
  '/admin/%252e/../',
  '/x%2fy/../%61dmin',
  '///h/admin',
  'http://localhost\\public?/admin',
  'http://h#/admin?x',
  'http://h?x/%61dmin',
  '/admin\xa0',
  '\ufeff/admin\t',
  '/ad\tmin',
  'x:/admin',
  'http:admin',
  'http:///h/admin',
  'ftp:///h/admin',
  'https:/h/admin',
  '*/../admin',
  '*/admin',
  '@h/admin',
])('%s is taken for /admin by some router', (url) => {
  expect(pathForms(url).folded).toContain('/admin')
})

test.each(['/adm', '/admins', '/x;/admin/y', '/adm;/in', '/x/admin', '/%2561dmin', '/?/admin', '/admi%6', '/a/admin'])(
  '%s is not taken for /admin',
  (url) => {
    expect(pathForms(url).folded).not.toContain('/admin')
  },
)

test('a plain path has one form', () => {
  expect(pathForms('/api/v1/users.json?x=1')).toEqual({
    raw: '/api/v1/users.json',
    exact: ['/api/v1/users.json'],
    folded: ['/api/v1/users.json'],
    endless: false,
  })
})

test('no URL makes it throw, and every form starts with a slash', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.string({ unit: fc.constantFrom('/', '.', '%', '2', 'e', ';', '\\', 'a', '?', '#', ':') }),
      ),
      (url) => {
        const { exact, folded } = pathForms(url)
        expect([...exact, ...folded].filter((form) => !form.startsWith('/'))).toEqual([])
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a path that is long on purpose still meets its plain form, or is endless', () => {
  expect(pathForms(`/admin;${'/y'.repeat(2_000)}`).folded).toContain('/admin')
  for (const url of [`//h/x/..;${'z'.repeat(1_024)}/../admin`, `/${'x/../'.repeat(2_000)}%61dmin;p=1`]) {
    const { endless, folded } = pathForms(url)
    expect(endless || folded.includes('/admin')).toBe(true)
  }
  const long = pathForms(`http://h?/${'/;%2e/./..//a\\b%252e'.repeat(60)}.%00`)
  expect([long.endless, long.folded.length]).toEqual([true, 1])
})

test.each(['/Hello/world-x_y', '/caf%C3%A9', '/proxy/https://h.example/a;b/%20c', '/%DF/%ff'])(
  'a path is not endless for its length: %s',
  (path) => {
    expect(pathForms(path.repeat(14_000 / path.length / (path.includes(';') ? 20 : 1))).endless).toBe(false)
  },
)

test('what is escaped is decoded where other escapes are bad', () => {
  expect(pathForms('/%ff/caf%C3%A9%e0%80%80%61').exact).toContain('/%ff/café%e0%80%80a')
})
