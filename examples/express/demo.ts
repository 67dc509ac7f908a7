import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { styleText } from 'node:util'
import { type Guard, nginx } from '@ipguard/express'
import { createApp, createSiteGuard } from './app.ts'
import { showProgress } from './progress.ts'
import { readList, readLog } from './read-data.ts'
import { replay } from './replay.ts'
import { date, report } from './report.ts'
import { createTally } from './tally.ts'

const lines = readLog()
const first = lines.at(0)?.at ?? 0
const last = lines.at(-1)?.at ?? 0

// The log's own time, which the replay moves on. Once it is over, time goes on as usual.
let now = first
let ended: number | undefined
const clock = { now: () => now + (ended === undefined ? 0 : performance.now() - ended) }

// The replay is the proxy, and it runs on this machine.
const clientIp = nginx({ trust: ['loopback'] })
const guard = createSiteGuard({ clientIp, clock })
const tally = createTally()
guard.on('decision', (decision) => tally.decided(decision))
guard.on('ban', (ban) => tally.banned(ban))

/** The same guard, with a stopwatch around its decision. */
function withStopwatch(watched: Guard, micros: number[]): Guard {
  return {
    ...watched,
    check(request, info) {
      const began = performance.now()
      const decision = watched.check(request, info)
      micros.push((performance.now() - began) * 1000)
      return decision
    },
  }
}

/** The decisions alone: the same log through a guard of its own, with no server around it. */
function decideAlone(): number[] {
  let at = 0
  const micros: number[] = []
  const alone = withStopwatch(createSiteGuard({ clientIp, clock: { now: () => at } }), micros)
  for (const line of lines) {
    at = line.at
    const headers = new Headers({ 'x-forwarded-for': line.client })
    void alone.check({ method: line.method, url: line.path, headers }, { peer: '127.0.0.1' })
  }
  return micros
}

const count = (entries: readonly string[]): string => entries.length.toLocaleString('en')
console.log(`
${styleText('bold', 'ipguard: an Express app behind real lists, and a real access log')}

  lists   ${count(readList('ipsum.txt'))} addresses of ipsum and ${count(readList('datacenter-ipv4.txt'))} networks of data centers, Google's crawlers spared
  limit   30 requests in 60 s; beyond: graylist for 6 h, the third time blacklist for 30 d
  log     ${lines.length.toLocaleString('en')} requests from ${date(first)} to ${date(last)}, sent over HTTP with the
          addresses in X-Forwarded-For, by the log's own clock
`)

const micros: number[] = []
const server = createApp(withStopwatch(guard, micros)).listen(0, '127.0.0.1')
await once(server, 'listening')
// A TCP server that listens has an address with a port.
const { port } = server.address() as AddressInfo

let done = 0
await replay({
  lines,
  port,
  onTime(at) {
    now = at
  },
  onAnswer(line, status) {
    tally.answered(line.client, status)
    showProgress(++done, lines.length, line.at)
  },
})
ended = performance.now()
console.log(report(tally, { 'in the server': micros, 'without HTTP': decideAlone() }))

if (process.stdout.isTTY) {
  const longest = guard.entries({ kind: 'ban' }).toSorted((x, y) => (y.expiresAt ?? 0) - (x.expiresAt ?? 0))[0]
  const url = `http://127.0.0.1:${port}/`
  console.log(`The server goes on, and so does its clock: ${styleText('underline', url)}

  you, let in, with RateLimit headers:   curl -i ${url}
  a client that is banned now:           curl -i -H 'X-Forwarded-For: ${longest?.cidr.split('/')[0]}' ${url}
  the limit, for yourself:               reload that page 31 times within a minute

Ctrl+C stops it.`)
  process.once('SIGINT', () => process.exit(0))
} else {
  server.close()
  await guard.close()
}
