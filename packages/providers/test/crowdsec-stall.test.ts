import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

interface Round {
  /** The longest time between two turns of the loop, in ms. */
  readonly longest: number
  /** The most time of a processor that the thread has had in one turn, in ms: what other processes take away of it does not count. */
  readonly busiest: number
}
interface Told {
  readonly entries: number
  readonly found: readonly boolean[]
  readonly rounds: readonly Round[]
  readonly changes: readonly Round[]
}

/** As the server writes them: the longest that a decision of a subscribed list is, more or less. */
function decision(index: number, duration: string): string {
  const value = `${100 + (index >> 20)}.${(index >> 12) & 255}.${(index >> 4) & 255}.${(index & 15) * 16 + 7}`
  return `{"duration":"${duration}","id":${index},"origin":"lists","scenario":"firehol_list_of_attackers","scope":"Ip","type":"ban","uuid":"01234567-89ab-cdef-0123-456789abcdef","value":"${value}"}`
}

/** A server with so many decisions, of which each change takes a tenth away and puts it back. */
async function serve(count: number): Promise<string> {
  const some = (from: number, to: number, duration: string): string =>
    Array.from({ length: to - from }, (_, i) => decision(from + i, duration)).join(',')
  const all = Buffer.from(`{"deleted":null,"new":[${some(0, count, '12h0m0.5s')}]}`)
  const changed = Buffer.from(
    `{"deleted":[${some(0, count / 10, '-1.5s')}],"new":[${some(0, count / 10, '13h0m0.5s')}]}`,
  )
  const server = createServer((request, response) => {
    const body = request.url?.includes('startup=true') ? all : changed
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What CrowdSec's specification of bouncers takes for a large number. Twice as many have been seen to need 28 ms on a busy machine. */
const DECISIONS = 100_000

it(`${DECISIONS} decisions are pulled, and changed, with no stop of 20 ms`, async () => {
  const url = await serve(DECISIONS)
  const child = fileURLToPath(new URL('crowdsec-stall.child.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@ipguard/source', '--no-warnings', child, url, 'key'],
    { timeout: 50_000 },
  )
  const told = JSON.parse(stdout) as Told
  expect(told.entries).toBe(DECISIONS)
  expect(told.found).toEqual([true, false])
  for (const rounds of [told.rounds, told.changes]) {
    const [, middle] = rounds.map(({ busiest }) => busiest).toSorted((a, b) => a - b)
    expect(rounds).toHaveLength(3)
    expect(middle, stdout).toBeLessThan(20)
  }
})
