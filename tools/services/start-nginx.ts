import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConfiguredServer, type Place, startConfigured } from './start-configured.ts'

export interface NginxOptions {
  /** What stands inside `http { }`, servers included; it must listen on `127.0.0.1:${port}`. */
  readonly config: (place: Place) => string
}

export type Nginx = ConfiguredServer

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
export function startNginx(options: NginxOptions): Promise<Nginx> {
  return startConfigured('nginx', (place) => {
    const file = join(place.folder, 'nginx.conf')
    writeFileSync(file, mainConfig(place.folder, options.config(place)))
    return { args: ['-p', place.folder, '-c', file, '-e', 'stderr'] }
  })
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
