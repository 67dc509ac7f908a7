import {
  forgedHeaders,
  type RawAnswer,
  type RawRequest,
  rawExchange,
  type SuiteExpect,
  type SuiteTest,
} from '@ipguard/conformance'
import { decisionLines } from './cases/decision-lines.ts'
import { type GuardName, siteGuard } from './cases/site-guards.ts'

export interface HttpSite {
  readonly port: number
  /** Whether the runtime tells whose connection a request came over. */
  readonly peer: boolean
  /** Whether WebSockets go through its handlers. */
  readonly webSockets: boolean
}

const CLIENT = '198.51.100.7'
const OTHER = '203.0.113.9'

/** What a site must answer over real connections, whatever runtime it runs on, behind `protect` and behind Hono's middleware. */
export function httpCases({ port, peer, webSockets }: HttpSite, test: SuiteTest, expect: SuiteExpect): void {
  test('core: decisions are byte for byte those that the sources make here', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/decisions`)
    const [theirs, ours] = [await answer.text(), await decisionLines()].map((text) => text.split('\n'))
    expect(theirs?.find((line, i) => line !== ours?.[i])).toBe(undefined)
    expect([theirs?.length, (ours?.length ?? 0) > 800]).toEqual([ours?.length, true])
  })

  for (const adapter of ['fetch', 'hono']) {
    const named = (name: string, run: () => Promise<void>): unknown => test(`${adapter}: over HTTP: ${name}`, run)
    const ask = (guard: GuardName, request: Omit<RawRequest, 'target'> = {}, query = ''): Promise<RawAnswer> =>
      rawExchange({ host: '127.0.0.1', port }, { ...request, target: `/${adapter}/${guard}${query}` })
    const clientOf = async (guard: GuardName, request?: Omit<RawRequest, 'target'>): Promise<unknown> =>
      JSON.parse((await ask(guard, request)).body).client?.ip ?? null
    const from = (ip: string): Pick<RawRequest, 'headers'> => ({ headers: [['CF-Connecting-IP', ip]] })

    if (peer) {
      named('the client is the connection’s address', async () => {
        expect(await clientOf('socket')).toBe('127.0.0.1')
        expect(await clientOf('socket', { from: '127.0.0.9' })).toBe('127.0.0.9')
      })
      if (adapter === 'hono') {
        named('the client is whom getConnInfo of the runtime names', async () => {
          const { body } = await rawExchange(
            { host: '127.0.0.1', port },
            { target: '/hono/conninfo', from: '127.0.0.9' },
          )
          expect(JSON.parse(body).client?.ip).toBe('127.0.0.9')
        })
      }
      named('no header changes that', async () => {
        for (const header of forgedHeaders)
          expect([header, await clientOf('socket', { headers: [header] })]).toEqual([header, '127.0.0.1'])
      })
      named('a trusted proxy names the client, by the last of all lines', async () => {
        const headers = [
          ['X-Forwarded-For', '6.6.6.6'],
          ['X-Forwarded-For', `7.7.7.7, ${CLIENT}`],
        ] as const
        expect(await clientOf('proxy', { headers })).toBe(CLIENT)
      })
      named('a platform’s header names the client, and without it the connection', async () => {
        expect([await clientOf('platform', from(CLIENT)), await clientOf('platform')]).toEqual([CLIENT, '127.0.0.1'])
      })
    } else {
      for (const guard of ['socket', 'proxy'] as const) {
        named(`a guard that needs the connection is an error (${guard}), and nobody is let in or refused`, async () => {
          const { status, body } = await ask(guard)
          expect([status, body]).toEqual([500, 'IPGUARD_PEER_MISSING'])
        })
      }
      named('a platform’s header names the client, and without it there is none', async () => {
        expect([await clientOf('platform', from(CLIENT)), (await ask('platform')).status]).toEqual([CLIENT, 403])
      })
    }

    if (webSockets) {
      named('a WebSocket that is let in opens, one that is refused does not', async () => {
        const url = (guard: GuardName): string => `ws://127.0.0.1:${port}/${adapter}/${guard}`
        expect(await echoOf(url('platform'), { 'CF-Connecting-IP': OTHER })).toBe('echo hello')
        expect(await echoOf(url('denied'), { 'CF-Connecting-IP': OTHER })).toBe('echo hello')
        expect(await echoOf(url('denied'), { 'CF-Connecting-IP': CLIENT })).toBe('not opened')
        const headers = [...(from(CLIENT).headers ?? []), ['Upgrade', 'websocket'] as const]
        expect((await ask('denied', { headers })).status).toBe(403)
      })
    }

    named('an answer has the RateLimit headers, and the handler reads the body', async () => {
      const body = 'à body '.repeat(20_000)
      const answer = await ask('platform', { ...from(OTHER), method: 'POST', body })
      expect([answer.status, answer.headers['ratelimit-policy']]).toEqual([200, '"1000-in-1h";q=1000;w=3600'])
      expect(JSON.parse(answer.body).body === body).toBe(true)
    })

    named('an answer in parts arrives whole', async () => {
      const { headers, body } = await ask('platform', from(OTHER), '?stream')
      expect([headers['ratelimit-policy'], headers['transfer-encoding'], body]).toEqual([
        '"1000-in-1h";q=1000;w=3600',
        'chunked',
        'onetwothree',
      ])
    })

    named('a decision that takes time is waited for', async () => {
      const bad = { headers: [...(from(OTHER).headers ?? []), ['X-Bad', '1'] as const] }
      const passed = await ask('slow', { ...from(OTHER), method: 'POST', body: 'a body' })
      expect([JSON.parse(passed.body).body, (await ask('slow', bad)).status]).toEqual(['a body', 403])
    })

    named('a policy that throws denies where its onError says so', async () => {
      expect([(await ask('broken', from(CLIENT))).status, (await ask('broken', from(OTHER))).status]).toEqual([
        403, 200,
      ])
    })

    named('a handler strikes, and that bans', async () => {
      const statuses: number[] = []
      for (let i = 0; i < 3; i++) statuses.push((await ask('struck', from(CLIENT), '?strike')).status)
      expect([statuses, (await ask('struck', from(OTHER))).status]).toEqual([[200, 200, 403], 200])
    })

    named('HEAD is answered without a body', async () => {
      const [passed, refused] = [
        await ask('platform', { ...from(OTHER), method: 'HEAD' }),
        await ask('denied', { ...from(CLIENT), method: 'HEAD' }),
      ]
      expect([passed.status, passed.body, refused.status, refused.body]).toEqual([200, '', 403, ''])
    })

    named('a refusal is what reply() says', async () => {
      const guard = siteGuard('denied')
      for (const accept of ['application/json', 'text/html,*/*;q=0.8', 'text/plain']) {
        const headers = [...(from(CLIENT).headers ?? []), ['Accept', accept] as const]
        const request = new Request('http://localhost/', { headers: headers.map(([name, value]) => [name, value]) })
        const reply = guard.reply(await guard.check(request), request)
        const answer = await ask('denied', { headers })
        const own = Object.keys(reply?.headers ?? {}).map((name) => [name, answer.headers[name.toLowerCase()]])
        expect({ status: answer.status, headers: Object.fromEntries(own), body: answer.body }).toEqual(reply)
      }
      expect((await ask('denied', from(OTHER))).status).toBe(200)
    })

    named('a limit, then a ban, for as long as they say', async () => {
      const answers: RawAnswer[] = []
      for (let i = 0; i < 4; i++) answers.push(await ask('banned', from(CLIENT)))
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 403])
      const [limited, banned] = answers.slice(2).map(({ headers }) => Number(headers['retry-after']))
      expect([limited, (banned ?? 0) > 3_590 && (banned ?? 0) <= 3_600]).toEqual([3_600, true])
      expect((await ask('banned', from(OTHER))).status).toBe(200)
    })
  }
}

/** What a WebSocket answers to `hello`. */
function echoOf(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const socket = new WebSocket(url, { headers } as never) // Node's takes headers, the type of browsers does not
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`${url} is silent for 5 s.`)), 5_000)
    const end = (text: string): void => {
      clearTimeout(limit)
      resolve(text)
      socket.close()
    }
    socket.addEventListener('open', () => socket.send('hello'))
    socket.addEventListener('message', ({ data }) => end(String(data)))
    socket.addEventListener('error', () => end('not opened'))
  })
}
