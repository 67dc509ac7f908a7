import { type RawAnswer, rawExchange } from '@ipguard/conformance'
import { createGuard, deny, type Guard, type GuardOptions, rateLimit } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { describe, expect, it } from 'vitest'
import type { SuitePlace } from './app/suite-setup.ts'
import type { NextApp } from './next-app.ts'
import type { RunningNext } from './start-next.ts'

type Headers = readonly (readonly [name: string, value: string])[]

/** As a browser without scripts posts the form. */
const BOUNDARY = 'form-of-the-page'

/** API routes of the pages router and server actions, in one version of Next. */
export function pagesNext({ version }: NextApp, started: () => RunningNext): void {
  describe(`Next.js ${version}, pages/api`, () => {
    it('gives the handler the decision and the body, and the answer the RateLimit headers', () =>
      withServer('route', { policies: [rateLimit({ limit: 2, window: '1h' })] }, async ({ send }) => {
        const answer = await send('/api/guarded', { body: 'word=a', headers: FORM })
        expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { client: '127.0.0.1', body: { word: 'a' } }])
        expect(answer.headers['ratelimit-policy']).toBe('"2-in-1h";q=2;w=3600')
      }))

    it('refuses before the handler, by the connection and no header', () =>
      withServer('route', { policies: [deny(['127.0.0.9'])] }, async ({ send }) => {
        const headers: Headers = [['X-Forwarded-For', '127.0.0.9']]
        const statuses = [
          (await send('/api/guarded', { headers })).status,
          (await send('/api/guarded', { from: '127.0.0.9', headers: [['X-Forwarded-For', '192.0.2.1']] })).status,
        ]
        expect(statuses).toEqual([200, 403])
      }))

    it('counts a request once, behind the same guard in the proxy', () =>
      withServer('proxy', { policies: [rateLimit({ limit: 2, window: '1h' })] }, async ({ send }) => {
        const statuses: number[] = []
        for (let i = 0; i < 3; i++) statuses.push((await send('/api/guarded', {})).status)
        expect(statuses).toEqual([200, 200, 429])
      }))
  })

  describe(`Next.js ${version}, server actions`, () => {
    it('runs the action with the decision and its arguments', () =>
      withServer('route', { policies: [rateLimit({ limit: 2, window: '1h' })] }, async ({ act }) => {
        const answers = [await act({}), await act({}), await act({})]
        expect(answers).toEqual([DONE, DONE, '303 /refused?reason=rate-limited'])
      }))

    it('refuses by the connection and no header', () =>
      withServer('route', { policies: [deny(['127.0.0.9'])] }, async ({ act }) => {
        const headers: Headers = [['X-Forwarded-For', '127.0.0.9']]
        expect([await act({ headers }), await act({ from: '127.0.0.9' })]).toEqual([DONE, '303 /refused?reason=denied'])
      }))

    it('counts a request once, behind the same guard in the proxy', () =>
      withServer('proxy', { policies: [rateLimit({ limit: 3, window: '1h' })] }, async ({ act }) => {
        // The first of the three reads the page.
        expect([await act({}), await act({}), (await act({})).slice(0, 3)]).toEqual([DONE, DONE, '429'])
      }))
  })

  interface Sent {
    readonly from?: string
    readonly headers?: Headers
    readonly body?: string
  }

  interface Scene {
    readonly send: (target: string, sent: Sent) => Promise<RawAnswer>
    /** Status and location of the answer to the posted form. */
    readonly act: (sent: Sent) => Promise<string>
  }

  async function withServer(
    place: SuitePlace,
    options: GuardOptions,
    run: (scene: Scene) => Promise<void>,
  ): Promise<void> {
    const guard: Guard = createGuard({ store: memoryStore(), onWarning: () => {}, ...options })
    const server = await started().start(place)({ host: '127.0.0.1', mounts: [{ path: '/', guard }], routes: [] })
    const send: Scene['send'] = (target, sent) =>
      rawExchange(server, { target, method: sent.body === undefined ? 'GET' : 'POST', ...sent })
    let action: string | undefined
    const act: Scene['act'] = async (sent) => {
      action ??= /name="(\$ACTION_ID_[^"]+)"/.exec((await send('/action', {})).body)?.[1]
      const parts = [
        [action ?? 'no action on the page', ''],
        ['word', 'a'],
      ] as const
      const lines = parts.map(
        ([name, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      )
      const type = `multipart/form-data; boundary=${BOUNDARY}`
      const headers: Headers = [['Origin', 'http://localhost'], ['Content-Type', type], ...(sent.headers ?? [])]
      const answer = await send('/action', { ...sent, headers, body: `${lines.join('')}--${BOUNDARY}--\r\n` })
      return `${answer.status} ${answer.headers.location}`
    }
    try {
      await run({ send, act })
    } finally {
      await server.close()
      await guard.close()
    }
  }
}

const FORM: Headers = [['Content-Type', 'application/x-www-form-urlencoded']]
const DONE = '303 /done?client=127.0.0.1&word=a'
