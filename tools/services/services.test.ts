import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { packagesOf, parseMissing } from './fetch-debian.ts'
import { findProgram } from './find-program.ts'
import { freePort } from './free-port.ts'
import { startNginx } from './start-nginx.ts'
import { startProcess } from './start-process.ts'

/** The first run may have to fetch a program. */
const FETCH = { timeout: 300_000 }

describe('findProgram', () => {
  it('takes the path in the environment variable first', () => {
    expect(findProgram('nginx', { IPGUARD_NGINX: process.execPath, PATH: '' })).toEqual({
      path: process.execPath,
      env: {},
      origin: 'environment',
    })
  })

  it('refuses an environment variable that names no program, and says which', () => {
    expect(() => findProgram('nginx', { IPGUARD_NGINX: '/nowhere/nginx' })).toThrow(
      /IPGUARD_NGINX is "\/nowhere\/nginx"/,
    )
  })

  it('refuses another word in IPGUARD_SERVICES than fetch', () => {
    expect(() => findProgram('nginx', { IPGUARD_SERVICES: 'ftech' })).toThrow('Write "fetch"')
  })

  if (existsSync('/usr/bin/apt-get')) {
    it.each(['nginx', 'redis-server'] as const)('runs %s as fetched from Debian', FETCH, (name) => {
      const { path, env, origin } = findProgram(name, { IPGUARD_SERVICES: 'fetch' })
      const { stdout, stderr } = spawnSync(path, [name === 'nginx' ? '-v' : '--version'], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
      })
      expect(origin).toBe('fetched')
      expect(stdout + stderr).toMatch(/^(nginx version|Redis server)/)
    })
  } else {
    it('says what to install where there is no Debian to fetch from', () => {
      expect(() => findProgram('nginx', { IPGUARD_SERVICES: 'fetch' })).toThrow('or set IPGUARD_NGINX to its path')
    })
  }
})

describe('the libraries of a fetched program', () => {
  it.each([
    ['libpcre2-8.so.0', 'libpcre2-8-0'],
    ['libssl.so.3', 'libssl3'],
    ['libcrypto.so.3', 'libssl3'],
    ['libcrypt.so.1', 'libcrypt1'],
    ['libz.so.1', 'zlib1g'],
    ['libjemalloc.so.2', 'libjemalloc2'],
    ['liblzf.so.1', 'liblzf1'],
    ['liblua5.1.so.0', 'liblua5.1-0'],
  ])('finds %s in the package %s', (soname, name) => {
    expect(packagesOf(soname)[0]).toBe(name)
  })

  it('reads the missing ones from ldd', () => {
    const ldd = '\tlibc.so.6 => /lib/libc.so.6 (0x1)\n\tlibssl.so.3 => not found\n\tlibz.so.1 => not found\n'
    expect(parseMissing(ldd)).toEqual(['libssl.so.3', 'libz.so.1'])
  })
})

describe('startProcess', () => {
  if (process.platform === 'linux') {
    it('has stopped every thread of the process when `signal` returns', async () => {
      const threads = `const { Worker } = require('node:worker_threads')
      for (let i = 0; i < 4; i++) new Worker('for (;;);', { eval: true })
      require('node:net').createServer().listen(process.argv[1], '127.0.0.1')`
      const port = await freePort()
      const busy = await startProcess({ command: process.execPath, args: ['-e', threads, String(port)], port })
      try {
        for (let i = 0; i < 20; i++) {
          busy.signal('SIGSTOP')
          const states = readdirSync(`/proc/${busy.pid}/task`).map((thread) =>
            readFileSync(`/proc/${busy.pid}/task/${thread}/stat`, 'latin1').replace(/.*\) (.).*/s, '$1'),
          )
          expect(states.length).toBeGreaterThan(4)
          expect(new Set(states)).toEqual(new Set(['T']))
          busy.signal('SIGCONT')
        }
      } finally {
        await busy.stop()
      }
    }, 30_000)
  }

  it('fails with what a process wrote that ended before it was ready', async () => {
    const args = ['-e', 'console.error("no such thing"); process.exit(3)']
    await expect(startProcess({ command: process.execPath, args, port: await freePort() })).rejects.toThrow(
      /exit code 3[\s\S]*no such thing/,
    )
  })

  it('fails when there is no such program', async () => {
    const started = startProcess({ command: '/nowhere/program', args: [], port: await freePort() })
    await expect(started).rejects.toThrow('ENOENT')
  })

  it('starts redis-server and ends it by its pid', FETCH, async () => {
    const { path, env } = findProgram('redis-server')
    const port = await freePort()
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--daemonize', 'no']
    const redis = await startProcess({ command: path, env, args, port })
    await redis.stop()
    expect(() => process.kill(redis.pid, 0)).toThrow('ESRCH')
  })
})

describe('startNginx', FETCH, () => {
  let origin: Server
  let originPort = 0
  beforeAll(async () => {
    origin = createServer((request, response) => response.end(String(request.headers['x-forwarded-for'])))
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
    const address = origin.address()
    originPort = typeof address === 'object' && address ? address.port : 0
  })
  afterAll(() => origin.close())

  it('proxies a request to an application and leaves nothing behind', async () => {
    let folder = ''
    const nginx = await startNginx({
      config: (context) => {
        folder = context.folder
        return `server {
          listen 127.0.0.1:${context.port};
          location / {
            proxy_pass http://127.0.0.1:${originPort};
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          }
        }`
      },
    })
    onTestFinished(nginx.stop)
    const response = await fetch(nginx.url, { headers: { 'x-forwarded-for': '203.0.113.7' } })
    expect(await response.text()).toBe('203.0.113.7, 127.0.0.1')
    await nginx.stop()
    expect(existsSync(folder)).toBe(false)
    expect(() => process.kill(nginx.pid, 0)).toThrow('ESRCH')
  })

  it('says what is wrong with a configuration', async () => {
    await expect(startNginx({ config: () => 'nonsense;' })).rejects.toThrow('unknown directive "nonsense"')
  })
})
