import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConfiguredServer, type Place, startConfigured } from './start-configured.ts'

export interface HaproxyOptions {
  /** The sections that follow `global` and `defaults`; one must bind `127.0.0.1:${port}`. */
  readonly config: (place: Place) => string
}

/**
 * A real HAProxy on a free port of 127.0.0.1, without root; its configuration is in a temporary folder that goes with it.
 *
 * @example
 * const haproxy = await startHaproxy({
 *   config: ({ port }) => `
 * listen app
 *   bind 127.0.0.1:${port}
 *   option forwardfor
 *   server app 127.0.0.1:${appPort}
 * `,
 * })
 * await haproxy.stop()
 */
export function startHaproxy(options: HaproxyOptions): Promise<ConfiguredServer> {
  return startConfigured('haproxy', (place) => {
    const file = join(place.folder, 'haproxy.cfg')
    writeFileSync(file, `${HEAD}\n${options.config(place)}\n`)
    return { args: ['-db', '-f', file] }
  })
}

const HEAD = `
global
  maxconn 256
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
`
