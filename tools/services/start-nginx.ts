import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './find-program.ts'
import { freePort } from './free-port.ts'
import { startProcess } from './start-process.ts'

export interface NginxOptions {
  /** What stands inside `http { }`, servers included; it must listen on `127.0.0.1:${port}`. */
  readonly config: (context: { readonly port: number; readonly folder: string }) => string
}

export interface Nginx {
  readonly pid: number
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** Error and access log so far. */
  readonly output: () => string
  readonly stop: () => Promise<void>
}

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/**
 * A real nginx on a free port of 127.0.0.1, without root and without touching the system's own; everything it writes is
 * in a temporary folder that goes with it.
 *
 * @example
 * const nginx = await startNginx({
 *   config: ({ port }) => `server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${appPort}; } }`,
 * })
 * const response = await fetch(`${nginx.url}/`)
 * await nginx.stop()
 */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const program = findProgram('nginx')
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'ipguard-nginx-'))
    const port = await freePort()
    const file = join(folder, 'nginx.conf')
    writeFileSync(file, mainConfig(folder, options.config({ port, folder })))
    const args = ['-p', folder, '-c', file, '-e', 'stderr']
    try {
      const server = await startProcess({ command: program.path, env: program.env, args, port })
      const stop = async (): Promise<void> => {
        await server.stop()
        rmSync(folder, { recursive: true, force: true })
      }
      return { pid: server.pid, port, url: `http://127.0.0.1:${port}`, output: server.output, stop }
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      // Somebody else took the port in between.
      if (attempt === 3 || !String(error).includes('Address already in use')) throw error
    }
  }
}

function mainConfig(folder: string, http: string): string {
  mkdirSync(join(folder, 'tmp'))
  // As root the workers would change to a user that cannot read the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  return `
daemon off;
worker_processes 1;
${user}
pid ${join(folder, 'nginx.pid')};
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
${TEMPORARY.map((part) => `  ${part}_temp_path ${join(folder, 'tmp', part)};`).join('\n')}
${http}
}
`
}
