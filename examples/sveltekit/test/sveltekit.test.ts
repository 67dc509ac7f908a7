import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort, type RunningProcess, startProcess } from '@ipguard/tools'
import { afterAll, beforeAll, expect, it } from 'vitest'

interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

const folder = fileURLToPath(new URL('..', import.meta.url))
let site: RunningProcess
let url = ''

beforeAll(async () => {
  const vite = fileURLToPath(new URL('../node_modules/vite/bin/vite.js', import.meta.url))
  const { NODE_ENV: _test, ...env } = process.env
  await promisify(execFile)(process.execPath, [vite, 'build'], { cwd: folder, env })
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  site = await startProcess({
    command: process.execPath,
    args: [`${folder}.cache/build`],
    env: { HOST: '127.0.0.1', PORT: String(port) },
    port,
  })
}, 180_000)
afterAll(() => site?.stop())

/** As nginx would pass it on. */
function ask(from: string, path = '/', init: Ask = {}): Promise<Response> {
  return fetch(url + path, { ...init, headers: { ...init.headers, 'X-Forwarded-For': from } })
}

it('renders the page for a client that may come in, and says how much of the limit is left', async () => {
  const response = await ask('203.0.113.7')
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('Welcome, 203.0.113.7.')])
  expect(response.headers.get('RateLimit')).toMatch(/^"20-in-60s";r=19;/)
})

it.each(['/', '/__data.json', '/nowhere', '/login', '/robots.txt'])(
  'keeps a listed network out of %s',
  async (path) => {
    const response = await ask('198.51.100.9', path, { headers: { Accept: 'text/plain' } })
    expect([response.status, response.headers.get('content-type')]).toEqual([403, 'text/plain; charset=utf-8'])
  },
)

it('says how much is left where no page is, too', async () => {
  const response = await ask('203.0.113.6', '/nowhere')
  expect([response.status, response.headers.get('RateLimit')]).toEqual([404, expect.stringContaining('r=19')])
})

it('bans who gets the password wrong three times, and nobody who knows it', async () => {
  const logIn = async (from: string, password: string): Promise<number> => {
    // SvelteKit itself refuses what could be a form of another site.
    const headers = { Authorization: `Basic ${btoa(`demo:${password}`)}`, 'Content-Type': 'application/json' }
    return (await ask(from, '/login', { method: 'POST', headers })).status
  }
  const wrong: number[] = []
  for (let i = 0; i < 4; i++) wrong.push(await logIn('203.0.113.8', 'wrong'))
  expect([...wrong, (await ask('203.0.113.8')).status]).toEqual([401, 401, 401, 403, 403])
  const right = new Set<number>()
  for (let i = 0; i < 25; i++) right.add(await logIn('203.0.113.18', 'demo'))
  expect([...right]).toEqual([200])
})

it('keeps the page of the office for the office, and its data, by whatever path they are asked for', async () => {
  const paths = ['/office', '/office/', '/office/__data.json', '/office/__data.json?x-sveltekit-trailing-slash=1']
  const told = async (from: string): Promise<boolean[]> =>
    Promise.all(paths.map(async (path) => (await (await ask(from, path)).text()).includes('visitors of today: 42')))
  expect(await told('192.0.2.7')).toEqual(paths.map(() => true))
  expect(await told('203.0.113.9')).toEqual(paths.map(() => false))
  expect((await ask('203.0.113.9', '/office/__data.json')).status).toBe(403)
})

it('cannot guard static files: adapter-node answers them before the hook', async () => {
  const response = await ask('198.51.100.9', '/_app/version.json')
  expect([response.status, response.headers.get('RateLimit')]).toEqual([200, null])
})
