import {
  chmodSync,
  existsSync,
  lutimesSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, type RunningProcess, startProcess } from '@ipguard/tools'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileSnapshot } from '../src/index.ts'
import { until } from './listen.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ipguard-snapshot-'))
  path = join(folder, 'bans.snapshot')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('fileSnapshot', () => {
  it('has nothing to load before the first save', async () => {
    expect(await fileSnapshot(path).load()).toBeUndefined()
  })

  it('loads what was saved last, and leaves no other file', async () => {
    const target = fileSnapshot(path)
    await target.save(bytes('one'))
    await target.save(bytes('two'))
    expect(Buffer.from((await target.load()) ?? []).toString()).toBe('two')
    expect(readdirSync(folder)).toEqual(['bans.snapshot'])
  })

  it('is for its owner only, whatever was there before', async () => {
    writeFileSync(path, 'old')
    chmodSync(path, 0o666)
    await fileSnapshot(path).save(bytes('new'))
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('reads nothing of a temporary file that a process left behind', async () => {
    await fileSnapshot(path).save(bytes('whole'))
    writeFileSync(`${path}.1.tmp`, 'hal')
    expect(Buffer.from((await fileSnapshot(path).load()) ?? []).toString()).toBe('whole')
  })

  it('is whole when several save at the same time, in one process too', async () => {
    const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(300_000))
    for (let round = 0; round < 5; round++) {
      await Promise.all(texts.map((text) => fileSnapshot(path).save(bytes(text))))
      expect(texts).toContain(readFileSync(path, 'utf8'))
    }
    expect(readdirSync(folder)).toEqual(['bans.snapshot'])
  })

  it('removes temporary files that were left behind, but none that may still be written', async () => {
    const id = '0b0e3a2c-6f0c-4c55-9b1e-0123456789ab'
    const stale = [`bans.snapshot.1.tmp`, `bans.snapshot.77.${id}.tmp`]
    const kept = [`bans.snapshot.2.${id}.tmp`, 'bans.snapshot.damaged', 'bans.snapshot.mine.tmp', `other.1.${id}.tmp`]
    for (const name of [...stale, ...kept]) writeFileSync(join(folder, name), 'half')
    const old = Date.now() / 1_000 - 61
    for (const name of [...stale, ...kept.slice(1)]) utimesSync(join(folder, name), old, old)
    // A link goes itself, not what it leads to.
    symlinkSync(join(folder, 'bans.snapshot.damaged'), `${path}.3.tmp`)
    lutimesSync(`${path}.3.tmp`, old, old)
    await fileSnapshot(path).load()
    expect(readdirSync(folder).toSorted()).toEqual(kept.toSorted())
  })

  it('keeps the old file, and nothing else, when the new one cannot be written', async () => {
    const missing = join(folder, 'missing', 'bans.snapshot')
    await expect(fileSnapshot(missing).save(bytes('x'))).rejects.toThrow('ENOENT')
    rmSync(path, { force: true })
    const target = fileSnapshot(folder)
    await expect(target.save(bytes('x'))).rejects.toThrow()
    expect(readdirSync(folder)).toEqual([])
    expect(readdirSync(dirname(folder)).filter((name) => name.startsWith(`${basename(folder)}.`))).toEqual([])
  })

  it('puts a damaged file aside under another name, and does not mind when there is none', async () => {
    const target = fileSnapshot(path)
    await target.keepDamaged()
    for (const text of ['older', 'newer']) {
      writeFileSync(path, text)
      await target.keepDamaged()
    }
    expect(readdirSync(folder)).toEqual(['bans.snapshot.damaged'])
    expect(readFileSync(`${path}.damaged`, 'utf8')).toBe('newer')
  })

  it('rejects when the file cannot be read', async () => {
    await expect(fileSnapshot(folder).load()).rejects.toThrow('EISDIR')
  })

  it.each([
    ['', {}, 'IPGUARD_OPTION_INVALID'],
    ['x', { evry: '1s' }, 'IPGUARD_OPTION_UNKNOWN'],
    ['x', { every: 'soon' }, 'IPGUARD_DURATION_INVALID'],
  ])('refuses %j with %j', (name, options, code) => {
    expect(() => fileSnapshot(name, options as never)).toThrow(expect.objectContaining({ code }))
  })
})

describe('a process with a snapshot', () => {
  let server: RunningProcess | undefined
  afterEach(() => server?.stop())

  async function start(): Promise<(ip: string) => Promise<number>> {
    const port = await freePort()
    const script = fileURLToPath(new URL('./file-snapshot.child.ts', import.meta.url))
    const args = ['--conditions=@ipguard/source', '--no-warnings', script, path, String(port)]
    const started = await startProcess({ command: process.execPath, args, port })
    server = started
    return async (ip) => {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'X-Forwarded-For': ip } })
      await answer.body?.cancel()
      return answer.status
    }
  }

  /** SIGKILL: the process can do nothing more. */
  async function kill(): Promise<void> {
    process.kill(server?.pid ?? Number.NaN, 'SIGKILL')
    await server?.stop()
  }

  it('keeps its bans when it is killed and started again', async () => {
    const ask = await start()
    expect([await ask('203.0.113.9'), await ask('203.0.113.9'), await ask('203.0.113.9')]).toEqual([200, 429, 403])
    await until(() => existsSync(path) && readFileSync(path, 'utf8').includes('203.0.113.9'))
    await kill()
    const again = await start()
    expect([await again('203.0.113.9'), await again('203.0.113.10')]).toEqual([403, 200])
    expect(server?.output()).toBe('')
  })

  it('starts empty and says so when its snapshot is cut short', async () => {
    const ask = await start()
    await ask('203.0.113.9')
    await ask('203.0.113.9')
    await until(() => existsSync(path) && readFileSync(path, 'utf8').includes('203.0.113.9'))
    await kill()
    writeFileSync(path, readFileSync(path).subarray(0, -5))
    const cut = readFileSync(path)
    const again = await start()
    expect([await again('203.0.113.9'), await again('203.0.113.10')]).toEqual([200, 200])
    expect(server?.output().trim()).toBe('warning IPGUARD_SNAPSHOT_DAMAGED')
    await again('203.0.113.9')
    await until(() => existsSync(`${path}.damaged`) && existsSync(path))
    expect(readFileSync(`${path}.damaged`)).toEqual(cut)
  })
})
