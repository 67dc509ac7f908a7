import type { NextApiRequest, NextApiResponse } from 'next'
import { guardApi } from '../../src/pages.ts'
import { SERVER_HEADER, suiteSetups } from './suite-setup.ts'

/** `pages/api/guarded.js`: answers what the guard of the server decided, and the body that Next has read. */
export async function suiteApi(request: NextApiRequest, response: NextApiResponse): Promise<void> {
  const guard = suiteSetups().get(String(request.headers[SERVER_HEADER]))?.mounts[0]?.guard
  if (!guard) {
    response.status(500).end('No server of the suite is named.')
    return
  }
  await guardApi(guard, (native, answer, { decision }) => {
    answer.json({ client: decision.client?.ip, body: native.body })
  })(request, response)
}
