import { headers } from 'next/headers.js'
import { redirect } from 'next/navigation.js'
import { guardAction } from '../../src/action.ts'
import { SERVER_HEADER, suiteSetups } from './suite-setup.ts'

/** The server action of `/action`: goes to a page that says whether the guard of the server let it run. */
export async function suiteAction(form: FormData): Promise<void> {
  const server = (await headers()).get(SERVER_HEADER)
  const guard = suiteSetups().get(server ?? '')?.mounts[0]?.guard
  if (!guard) throw new Error('No server of the suite is named.')
  const guarded = guardAction(
    guard,
    ({ decision }, given: FormData) => redirect(`/done?client=${decision.client?.ip}&word=${wordOf(given)}`),
    ({ reason }) => redirect(`/refused?reason=${reason}`),
  )
  await guarded(form)
}

function wordOf(form: FormData): string {
  const word = form.get('word')
  return typeof word === 'string' ? word : ''
}
