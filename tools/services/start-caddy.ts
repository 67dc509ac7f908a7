import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConfiguredServer, type Place, startConfigured } from './start-configured.ts'

export interface CaddyOptions {
  /** The site blocks of a Caddyfile; one must be on `http://127.0.0.1:${port}`. */
  readonly config: (place: Place) => string
}

/**
 * A real Caddy on a free port of 127.0.0.1, without its admin endpoint and without certificates; everything it writes is in a temporary
 * folder that goes with it.
 *
 * @example
 * const caddy = await startCaddy({ config: ({ port }) => `http://127.0.0.1:${port} {\n  reverse_proxy 127.0.0.1:${appPort}\n}` })
 * await caddy.stop()
 */
export function startCaddy(options: CaddyOptions): Promise<ConfiguredServer> {
  return startConfigured('caddy', (place) => {
    const file = join(place.folder, 'Caddyfile')
    writeFileSync(file, `${HEAD}\n${options.config(place)}\n`)
    return {
      args: ['run', '--config', file, '--adapter', 'caddyfile'],
      env: { HOME: place.folder, XDG_DATA_HOME: place.folder, XDG_CONFIG_HOME: place.folder },
    }
  })
}

const HEAD = `
{
	admin off
	auto_https off
	grace_period 1s
}
`
