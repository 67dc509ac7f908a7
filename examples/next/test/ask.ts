import { request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: FormData
}

/** Asks a server of this machine as another client: on Linux every `127.x.y.z` is an address of it. */
export async function ask(port: number, from: string, path: string, question: Question = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, form } = question
  const body = form && new Response(form)
  const type = body?.headers.get('content-type')
  const bytes = body && Buffer.from(await body.arrayBuffer())
  return new Promise((resolve, reject) => {
    const req = request({
      host: '127.0.0.1',
      port,
      localAddress: from,
      path,
      method,
      headers: { ...headers, ...(type && { 'Content-Type': type }) },
      agent: false,
    })
    req.on('error', reject).on('response', (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      res
        .on('error', reject)
        .on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: text }))
    })
    req.end(bytes)
  })
}
