import { request } from 'node:http'

export interface Answer {
  readonly status: number
  /** Which process answered, and what it says of the request; undefined when it was refused. */
  readonly body?: { readonly client: string; readonly process: number; readonly degraded: readonly string[] }
}

/** One request to nginx from another address of this machine, `127.0.0.9`, so that it is a client and not the proxy. */
export function ask(url: string, from: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { localAddress: from, agent: false, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.once('error', reject)
      response.once('end', () => {
        const status = response.statusCode ?? 0
        resolve(status === 200 ? { status, body: JSON.parse(text) as NonNullable<Answer['body']> } : { status })
      })
    })
    sent.once('error', reject)
    sent.end()
  })
}

/** As many requests one after the other. */
export async function askTimes(times: number, url: string, from: string, forged?: string[]): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let i = 0; i < times; i++) {
    const header = forged?.[i % forged.length]
    answers.push(await ask(url, from, header === undefined ? {} : { 'X-Forwarded-For': header }))
  }
  return answers
}
