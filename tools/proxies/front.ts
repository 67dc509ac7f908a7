import type { GuardOptions } from '@ipguard/core'
import { type ConfiguredServer, startCaddy, startHaproxy, startNginx } from '../services/index.ts'

/** What stands in front of an application, and what the application is told of it. */
export interface Front {
  readonly name: string
  readonly clientIp: NonNullable<GuardOptions['clientIp']>
  /** The lines of its configuration that matter; `docs/client-address.md` shows them word for word. */
  readonly setting: string
  /** Starts it before an application on that port of 127.0.0.1, for callers from 127.0.0.0/8 and ::1 on the first one's port. */
  readonly start: (app: number) => Promise<readonly ConfiguredServer[]>
}

/** nginx on both addresses of this machine; `setting` stands in its location, `server` and `listen` with its listeners. */
export function nginxTo(
  app: number,
  { setting = '', http = '', server = '', listen = '' }: Readonly<Record<string, string>>,
): Promise<ConfiguredServer> {
  return startNginx({
    config: ({ port }) => `
      ${http}
      server {
        listen 127.0.0.1:${port}${listen};
        listen [::1]:${port}${listen};
        large_client_header_buffers 8 16k;
        ${server}
        location / {
          proxy_pass http://127.0.0.1:${app};
          ${setting}
        }
      }`,
  })
}

/** HAProxy on both addresses of this machine; `server` follows the address of the application. */
export function haproxyTo(
  app: number,
  { setting = '', server = '' }: Readonly<Record<string, string>>,
): Promise<ConfiguredServer> {
  return startHaproxy({
    config: ({ port }) => `
listen app
  bind 127.0.0.1:${port}
  bind [::1]:${port}
  ${setting.split('\n').join('\n  ')}
  server app 127.0.0.1:${app} ${server}`,
  })
}

/** Caddy on both addresses of this machine; `setting` stands in `reverse_proxy`. */
export function caddyTo(app: number, { setting = '' }: Readonly<Record<string, string>>): Promise<ConfiguredServer> {
  return startCaddy({
    config: ({ port }) => `
http://:${port} {
	bind 127.0.0.1 ::1
	reverse_proxy 127.0.0.1:${app} {
		${setting.split('\n').join('\n\t\t')}
	}
}`,
  })
}

/** A second server before one that runs; if it cannot be started, the other is ended. */
export async function before(
  inner: Promise<ConfiguredServer>,
  start: (port: number) => Promise<ConfiguredServer>,
): Promise<readonly ConfiguredServer[]> {
  const second = await inner
  try {
    return [await start(second.port), second]
  } catch (error) {
    await second.stop()
    throw error
  }
}
