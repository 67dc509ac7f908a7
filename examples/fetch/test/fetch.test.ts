import { fileURLToPath } from 'node:url'
import { freePort, type ProcessOptions, type RunningProcess, startProcess } from '@ipguard/tools'
import { findRuntime } from '@ipguard/tools/runtimes'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

type Command = Pick<ProcessOptions, 'command' | 'args'>

const SOURCES = '--conditions=@ipguard/source'
const pathOf = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url))
const onNode = async (file: string): Promise<Command> => ({ command: process.execPath, args: [SOURCES, pathOf(file)] })

/** Each program, and how it is started; the first run on a machine installs Bun and Deno. */
const PROGRAMS: readonly (readonly [string, () => Promise<Command>])[] = [
  ['node.ts on Node', () => onNode('node.ts')],
  ['h3.ts on Node', () => onNode('h3.ts')],
  ['bun.ts on Bun', async () => ({ command: (await findRuntime('bun')).path, args: [SOURCES, pathOf('bun.ts')] })],
  [
    'deno.ts on Deno',
    async () => ({
      command: (await findRuntime('deno')).path,
      args: ['run', '--no-check', '--allow-net', '--allow-env', '--allow-read', SOURCES, pathOf('deno.ts')],
    }),
  ],
]

describe.each(PROGRAMS)('%s', (_name, command) => {
  let site: RunningProcess
  let url = ''

  beforeAll(async () => {
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    site = await startProcess({ ...(await command()), env: { PORT: String(port) }, port })
  }, 180_000)
  afterAll(() => site?.stop())

  /** As nginx would pass it on. */
  function ask(from: string, path = '/', init: Ask = {}): Promise<Response> {
    return fetch(url + path, { ...init, headers: { ...init.headers, 'X-Forwarded-For': from } })
  }

  it('lets a client in, and says how much of the limit is left', async () => {
    const response = await ask('203.0.113.7')
    expect([response.status, await response.text()]).toEqual([200, 'Welcome, 203.0.113.7.\n'])
    expect(response.headers.get('RateLimit')).toMatch(/^"20-in-60s";r=19;/)
  })

  it('keeps a listed network out, whatever else its header says', async () => {
    for (const from of ['198.51.100.9', '2001:db8:bad::1', '203.0.113.7, 198.51.100.9'])
      expect([from, (await ask(from)).status]).toEqual([from, 403])
  })

  it('bans who gets the password wrong three times, and nobody who knows it', async () => {
    const logIn = async (from: string, password: string): Promise<number> => {
      const headers = { Authorization: `Basic ${btoa(`demo:${password}`)}` }
      return (await ask(from, '/login', { method: 'POST', headers })).status
    }
    const wrong: number[] = []
    for (let i = 0; i < 5; i++) wrong.push(await logIn('203.0.113.8', 'wrong'))
    expect([...wrong, (await ask('203.0.113.8')).status]).toEqual([401, 401, 401, 403, 403, 403])
    const right = new Set<number>()
    for (let i = 0; i < 25; i++) right.add(await logIn('203.0.113.18', 'demo'))
    expect([...right]).toEqual([200])
  })
})
