import { type RequestHandler, text } from '@sveltejs/kit'

export const POST: RequestHandler = async ({ locals, request }) => {
  if (request.headers.get('Authorization') === `Basic ${btoa('demo:demo')}`) {
    await locals.ipguard?.refund() // a login that succeeds does not count
    return text('Welcome back.\n')
  }
  await locals.ipguard?.strike()
  return text('Wrong name or password.\n', { status: 401 })
}
