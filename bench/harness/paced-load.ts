import { Agent, get } from 'node:http'

/**
 * Sends requests at a fixed rate, whatever becomes of them, each to the next of the ports, and resolves with their latencies in ms, in no
 * order, when all are answered. Every answer must be a 200. A latency counts from when the request was due: a load that comes late is late.
 */
export async function pacedLoad(
  { ports, path }: { readonly ports: readonly number[]; readonly path: string },
  ips: readonly string[],
  perSecond: number,
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const latencies: number[] = []
  const start = performance.now()
  const waiting: Promise<void>[] = []
  try {
    for (let i = 0; i < ips.length; i++) {
      const due = start + (i * 1_000) / perSecond
      while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve))
      const port = ports[i % ports.length] as number // inside
      waiting.push(one(agent, port, path, ips[i] as string).then(() => void latencies.push(performance.now() - due))) // inside
    }
    await Promise.all(waiting)
  } finally {
    agent.destroy()
  }
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
