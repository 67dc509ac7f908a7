import { type Agent, get } from 'node:http'
import { setTimeout } from 'node:timers/promises'

export interface LoadTarget {
  readonly ports: readonly number[]
  /** Keeps its connections alive from one load to the next: opening them is not what is measured. */
  readonly agent: Agent
}

export interface Visit {
  readonly ip: string
  readonly path: string
}

/**
 * Sends requests at a fixed rate, whatever becomes of them, each to the next of the ports, and resolves with their latencies in ms, in the
 * order of the visits, when all are answered. Every answer must be a 200. A latency counts from when the request was sent. Between two it
 * sleeps: one that looks at the clock all the time takes a core from the servers.
 */
export async function pacedLoad(
  { ports, agent }: LoadTarget,
  visits: readonly Visit[],
  perSecond: number,
): Promise<number[]> {
  const start = performance.now()
  const waiting: Promise<number>[] = []
  for (const [i, visit] of visits.entries()) {
    const early = start + (i * 1_000) / perSecond - performance.now()
    if (early >= 1) await setTimeout(early)
    const port = ports[i % ports.length] as number // inside
    const sent = performance.now()
    waiting.push(one(agent, port, visit).then(() => performance.now() - sent))
  }
  return Promise.all(waiting)
}

function one(agent: Agent, port: number, { path, ip }: Visit): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ agent, host: '127.0.0.1', port, path, headers: { 'x-forwarded-for': ip } }, (response) => {
      response.resume()
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`The server answered ${response.statusCode}.`))
      })
    }).once('error', reject)
  })
}
