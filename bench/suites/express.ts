import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { sendLoad } from '../harness/http-load.ts'
import { someAddresses } from '../harness/lists.ts'
import { median } from '../harness/measure.ts'
import { number, type Result, times } from '../harness/result.ts'

const APPS = ['bare', 'ipguard', 'express-rate-limit'] as const
const CLIENTS = 10_000
const ROUNDS = 9
const REQUESTS = 6_000
const CONNECTIONS = 32

/** What a limit with RateLimit headers adds to a request on Express, as CPU of the server's process. */
export async function expressSuite(): Promise<Result> {
  const requests = someAddresses(4, CLIENTS, 61).map((ip) =>
    Buffer.from(`GET / HTTP/1.1\r\nHost: shop.example\r\nAccept: text/html\r\nX-Forwarded-For: ${ip}\r\n\r\n`),
  )
  const servers = await Promise.all(APPS.map(startServer))
  const samples = servers.map((): number[] => [])
  try {
    for (const { app, port } of servers) {
      const limited = await sendLoad(port, requests, 2 * CLIENTS, CONNECTIONS)
      const expected = app === 'bare' ? 0 : 2 * CLIENTS
      if (limited !== expected) throw new Error(`${app} sent ${limited} RateLimit headers instead of ${expected}.`)
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < servers.length; i++) {
        const at = (i + round) % servers.length
        const server = servers[at] as Server // inside
        const before = await cpuOf(server)
        await sendLoad(server.port, requests, REQUESTS, CONNECTIONS)
        samples[at]?.push(((await cpuOf(server)) - before) / REQUESTS)
      }
    }
  } finally {
    for (const { child } of servers) child.disconnect()
  }
  const medians = samples.map(median)
  const best = samples.map((each) => Math.min(...each))
  const added = (figures: readonly number[], i: number): number =>
    (figures[i] ?? Number.NaN) - (figures[0] ?? Number.NaN)
  const ratio = added(medians, 1) / added(medians, 2)
  return {
    title: 'A limit on Express',
    notes: [
      'Servers in processes of their own, one handler that sends two bytes, 10,000 clients in X-Forwarded-For from a trusted loopback proxy, 32 keep-alive connections. ipguard with RateLimit headers and a decision on every request; express-rate-limit with draft-8 headers and its memory store. The bare server is the limit.',
    ],
    tables: [
      {
        title: 'CPU of the server per request, us',
        columns: ['', 'median', 'best', 'added, medians', 'added, best'],
        rows: APPS.map((app, i) => [
          app,
          number(medians[i] ?? Number.NaN),
          number(best[i] ?? Number.NaN),
          number(added(medians, i)),
          number(added(best, i)),
        ]),
      },
    ],
    verdicts: [
      {
        claim: 'CPU added per request on Express <= 1/3 of express-rate-limit with draft-8 headers',
        figure: `${times(ratio)} (best rounds ${times(added(best, 1) / added(best, 2))})`,
        pass: ratio <= 1 / 3,
      },
    ],
  }
}

interface Server {
  readonly app: (typeof APPS)[number]
  readonly child: ChildProcess
  readonly port: number
}

async function startServer(app: (typeof APPS)[number]): Promise<Server> {
  const child = fork(new URL('express-server.ts', import.meta.url), [app], {
    execArgv: process.execArgv.filter((flag) => flag.startsWith('--conditions')),
  })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }] // as the server's file says
  return { app, child, port }
}

async function cpuOf({ child }: Server): Promise<number> {
  const answer = once(child, 'message')
  child.send('cpu')
  const [{ cpu }] = (await answer) as [{ cpu: number }] // as the server's file says
  return cpu
}
