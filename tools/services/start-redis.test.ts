import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hasProgram } from './find-program.ts'
import { redisCommand } from './redis-command.ts'
import { startRedis } from './start-redis.ts'
import { waitUntil } from './wait-until.ts'

/** The first run may have to fetch a program. */
const FETCH = { timeout: 300_000 }

const AOF = ['--appendonly', 'yes', '--appendfsync', 'always']

/** As Linux says: T is stopped. */
function stateOf(pid: number): string | undefined {
  return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
}

describe('startRedis', FETCH, () => {
  it('answers nothing while frozen, and what was asked when thawed', async () => {
    const redis = await startRedis()
    onTestFinished(redis.stop)
    redis.freeze()
    let answered = false
    const reply = redisCommand(redis.port, 'PING').finally(() => {
      answered = true
    })
    if (process.platform === 'linux') expect(stateOf(redis.pid)).toBe('T')
    // It listens still: the kernel accepts connections for it.
    const other = redisCommand(redis.port, 'PING')
    expect(answered).toBe(false)
    redis.thaw()
    expect([await reply, await other]).toEqual(['PONG', 'PONG'])
  })

  it('keeps a key over a crash with an append-only file, at the same port and in the same folder', async () => {
    const redis = await startRedis({ args: AOF })
    onTestFinished(redis.stop)
    const { pid, port } = redis
    await redisCommand(port, 'SET', 'key', 'kept')
    await redis.kill()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    await expect(redisCommand(port, 'PING')).rejects.toThrow('ECONNREFUSED')
    expect(() => redis.freeze()).toThrow('is gone')
    await redis.restart()
    expect(redis.pid).not.toBe(pid)
    expect(await redisCommand(port, 'GET', 'key')).toBe('kept')
    expect(redis.output().match(/Ready to accept connections/g)).toHaveLength(2)
  })

  it('forgets everything in a crash by default', async () => {
    const redis = await startRedis()
    onTestFinished(redis.stop)
    await redisCommand(redis.port, 'SET', 'key', 'lost')
    await redis.kill()
    await redis.restart()
    expect(await redisCommand(redis.port, 'GET', 'key')).toBeNull()
  })

  it('restarts one that runs, with other arguments, and keeps these', async () => {
    const redis = await startRedis()
    onTestFinished(redis.stop)
    await redis.restart(['--maxmemory', '7mb'])
    await redis.restart()
    expect(await redisCommand(redis.port, 'CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', String(7 * 1024 * 1024)])
  })

  it('leaves nothing behind, frozen or not', async () => {
    const redis = await startRedis()
    redis.freeze()
    await redis.stop()
    await redis.stop()
    expect(existsSync(redis.folder)).toBe(false)
    expect(() => process.kill(redis.pid, 0)).toThrow('ESRCH')
  })

  it('leaves a folder that it was given, for the next server', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ipguard-test-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const first = await startRedis({ folder, args: AOF })
    await redisCommand(first.port, 'SET', 'key', 'kept')
    await first.stop()
    const second = await startRedis({ folder, args: AOF })
    onTestFinished(second.stop)
    expect(await redisCommand(second.port, 'GET', 'key')).toBe('kept')
  })

  it('is ready when it asks for a password', async () => {
    const redis = await startRedis({ args: ['--requirepass', 'secret'] })
    onTestFinished(redis.stop)
    await expect(redisCommand(redis.port, 'PING')).rejects.toThrow('NOAUTH')
  })

  it('says what is wrong with an argument', async () => {
    await expect(startRedis({ args: ['--nonsense', 'yes'] })).rejects.toThrow(/FATAL CONFIG FILE ERROR[\s\S]*nonsense/)
  })

  it('does not take another server on its port for itself', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    await expect(startRedis({ port })).rejects.toThrow('Address already in use')
  })

  // The kernel's help is needed for the second: on another system a killed process leaves its servers behind.
  it.each(process.platform === 'linux' ? ['exits', 'is killed'] : ['exits'])(
    'ends when the process that started it %s',
    async (how) => {
      const file = JSON.stringify(join(import.meta.dirname, 'start-redis.ts'))
      const code = `const { startRedis } = await import(${file})
        const redis = await startRedis()
        console.log(redis.port, redis.folder)
        process.stdin.once('data', () => process.exit())`
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] })
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      const [port, folder = ''] = line.toString().trim().split(' ')
      // Nothing could remove it, with the process gone.
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      expect(await redisCommand(Number(port), 'PING')).toBe('PONG')
      if (how === 'exits') child.stdin.end('now')
      else child.kill('SIGKILL')
      await once(child, 'exit')
      await waitUntil('the server is gone', async () => {
        const reply = await redisCommand(Number(port), 'PING').catch(String)
        return String(reply).includes('ECONNREFUSED')
      })
    },
  )

  if (hasProgram('valkey-server')) {
    it('starts Valkey as well', async () => {
      const valkey = await startRedis({ server: 'valkey' })
      onTestFinished(valkey.stop)
      expect(await redisCommand(valkey.port, 'INFO', 'server')).toContain('valkey_version:')
    })
  } else {
    it('says what to install where Valkey is not available on this system', () => {
      expect(() => startRedis({ server: 'valkey' })).toThrow('set IPGUARD_VALKEY_SERVER to its path')
    })
  }
})
