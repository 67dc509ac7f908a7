import { type Agent, get } from 'node:http'
import { setTimeout } from 'node:timers/promises'

export interface LoadTarget {
  readonly ports: readonly number[]
  readonly path: string
  /** Keeps its connections alive from one load to the next: opening them is not what is measured. */
  readonly agent: Agent
}

/**
 * Sends requests at a fixed rate, whatever becomes of them, each to the next of the ports, and resolves with their latencies in ms, in no
 * order, when all are answered. Every answer must be a 200. A latency counts from when the request was sent. Between two it sleeps: one that
 * looks at the clock all the time takes a core from the servers.
 */
export async function pacedLoad(
  { ports, path, agent }: LoadTarget,
  ips: readonly string[],
  perSecond: number,
): Promise<number[]> {
  const latencies: number[] = []
  const start = performance.now()
  const waiting: Promise<void>[] = []
  for (let i = 0; i < ips.length; i++) {
    const early = start + (i * 1_000) / perSecond - performance.now()
    if (early >= 1) await setTimeout(early)
    const port = ports[i % ports.length] as number // inside
    const sent = performance.now()
    waiting.push(one(agent, port, path, ips[i] as string).then(() => void latencies.push(performance.now() - sent))) // inside
  }
  await Promise.all(waiting)
  return latencies
}

function one(agent: Agent, port: number, path: string, ip: string): Promise<void> {
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
