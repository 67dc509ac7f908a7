import { allow, deny, exceptPaths, onPaths } from '@ipguard/core'
import type { AdapterCase } from './adapter-case.ts'

const EVERYBODY = ['0.0.0.0/0', '::/0']

/** Request targets that some router takes for `/admin`. */
const ADMIN: readonly string[] = [
  '/admin',
  '/ADMIN',
  '/Admin',
  '/admin/',
  '/admin//',
  '/%61dmin',
  '/%61%64%6d%69%6e',
  '/%41dmin',
  '/./admin',
  '/x/../admin',
  '/%2e/admin',
  '/x/%2e%2e/admin',
  '/x/%2E%2e/%61DMIN/',
  'http://localhost/admin',
  'http://localhost/x/../admin',
  'HTTP://LOCALHOST/ADMIN',
  '//admin',
  '//localhost/admin',
  '///admin',
  '/admin;x',
  '/admin;x=1/',
  '/;x/admin',
  '/admin%2f',
  '/%2fadmin',
  '/admin%00',
  '/admin%20',
  '/admin.',
  '/admin?x=/public',
  '/admin#/public',
  '/%2561dmin',
  '/admin%zz',
  '/%c0%afadmin',
  '\\admin',
  '/\\admin',
  '/public/../admin',
  '/public/%2e%2e/admin',
  '/public/..%2fadmin',
  '/public/..;/admin',
  '/public\\..\\admin',
  '/public?/../admin',
  '/public%3f/../admin',
  '/public%23/../admin',
]

/** Hosts that put another path in front, where somebody makes a URL of host and target. */
const HOSTS: readonly string[] = [
  '',
  'localhost/public?',
  'localhost/public#',
  'localhost/public/',
  'localhost\\public?',
  'localhost?/public',
  'u:p@localhost/public?',
  'localhost:99999',
  '[::1',
  'a b',
  '%',
]

/** Rules that speak of paths. */
export const pathCases: readonly AdapterCase[] = [
  {
    name: 'path: an adapter under a prefix sees the whole path',
    needs: ['mount'],
    async run({ expect, guard, serve }) {
      const inner = guard({ policies: [deny(EVERYBODY, { when: onPaths('/mounted/inner') })] })
      const { send, reached } = await serve([{ path: '/mounted', guard: inner.guard }])
      expect([(await send('/mounted/inner')).status, (await send('/hello')).status]).toEqual([403, 200])
      expect([inner.decisions.length, reached]).toEqual([1, ['/hello']])
    },
  },
  {
    name: 'path: an adapter under a prefix does not take the rest for the whole path',
    needs: ['mount'],
    async run({ expect, guard, serve }) {
      const inner = guard({ policies: [deny(EVERYBODY, { when: onPaths('/inner') })] })
      const { send } = await serve([{ path: '/mounted', guard: inner.guard }])
      expect((await send('/mounted/inner')).body).toEqual('inner')
    },
  },
  {
    name: 'path: no spelling reaches a handler behind a denial of its path',
    async run({ expect, guard, serve }) {
      const { send, reached } = await serve([guard({ policies: [deny(EVERYBODY, { when: onPaths('/admin') })] })])
      for (const target of ADMIN) {
        await send({ target })
        expect([target, reached.includes('/admin')]).toEqual([target, false])
      }
      expect((await send('/hello')).status).toEqual(200)
    },
  },
  {
    name: 'path: no spelling reaches a handler by an exception for another path',
    async run({ expect, guard, serve }) {
      const allowing = guard({
        policies: [allow(EVERYBODY, { when: onPaths('/public', '/public/*') }), deny(EVERYBODY)],
      })
      const sparing = guard({ policies: [deny(EVERYBODY, { when: exceptPaths('/public', '/public/*') })] })
      for (const each of [allowing, sparing]) {
        const { send, reached } = await serve([each])
        for (const target of ADMIN) {
          await send({ target })
          expect([target, reached.includes('/admin')]).toEqual([target, false])
        }
        expect((await send('/public')).status).toEqual(200)
      }
    },
  },
  {
    name: 'path: what a request says its path or method is in a header changes nothing',
    async run({ expect, guard, serve }) {
      const { send, reached } = await serve([guard({ policies: [deny(EVERYBODY, { when: onPaths('/admin') })] })])
      const headers = ['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Path', 'X-Forwarded-Uri'].map(
        (name) => [name, '/public'] as const,
      )
      const override = ['X-HTTP-Method-Override', 'X-Method-Override'].map((name) => [name, 'OPTIONS'] as const)
      expect([(await send({ target: '/admin', headers: [...headers, ...override] })).status, reached]).toEqual([
        403,
        [],
      ])
    },
  },
  {
    name: 'path: what the Host header says changes nothing',
    async run({ expect, guard, serve }) {
      const everywhereElse = exceptPaths('/public', '/public/*')
      for (const when of [onPaths('/admin'), everywhereElse]) {
        const { send, reached } = await serve([guard({ policies: [deny(EVERYBODY, { when })] })])
        for (const host of HOSTS) {
          await send({ target: '/admin', host })
          expect([host, reached.includes('/admin')]).toEqual([host, false])
        }
        expect((await send('/public')).status).toEqual(200)
      }
    },
  },
]
