import { Agent, request } from 'node:http'
import type { LogLine } from './read-data.ts'

export interface ReplayOptions {
  readonly lines: readonly LogLine[]
  readonly port: number
  /** Called before a request is sent, with the log's time. */
  readonly onTime: (at: number) => void
  /** Called after each answer. */
  readonly onAnswer: (line: LogLine, status: number) => void
}

/**
 * Sends every request of the log over HTTP, as a proxy on this machine would: the client's address is in `X-Forwarded-For`.
 * One after the other, because the log's clock must not go back.
 */
export async function replay({ lines, port, onTime, onAnswer }: ReplayOptions): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    for (const line of lines) {
      onTime(line.at)
      onAnswer(line, await send(line, port, agent))
    }
  } finally {
    agent.destroy()
  }
}

function send({ client, method, path }: LogLine, port: number, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, agent, method, path, headers: { 'X-Forwarded-For': client, Accept: 'text/plain' } },
      (response) => {
        response.resume()
        response.once('end', () => resolve(response.statusCode ?? 0))
        response.once('error', reject)
      },
    )
    sent.once('error', reject)
    sent.end()
  })
}
