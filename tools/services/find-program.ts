import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fetchDebian } from './fetch-debian.ts'

/** The programs that tests start. `redis-cli` and `redis-server` come in one fetch, `crowdsec` and `cscli` too. */
export type ProgramName =
  | 'caddy'
  | 'chromium'
  | 'crowdsec'
  | 'cscli'
  | 'dnsmasq'
  | 'haproxy'
  | 'nginx'
  | 'rbldnsd'
  | 'redis-cli'
  | 'redis-server'
  | 'valkey-server'

export interface Program {
  readonly path: string
  /** To be added to the environment of the process: where its shared libraries are. */
  readonly env: Readonly<Record<string, string>>
  readonly origin: 'environment' | 'path' | 'fetched'
}

interface Source {
  /** The environment variable with the path of the program. */
  readonly variable: string
  /** Names on PATH, the preferred one first. */
  readonly names: readonly string[]
  /** Debian packages to fetch; libraries that are then still missing are found and fetched too. */
  readonly debian: readonly string[]
  /** Where the program is inside those packages. */
  readonly inside: string
}

const REDIS = ['redis-server', 'redis-tools']
const SOURCES: Readonly<Record<ProgramName, Source>> = {
  caddy: { variable: 'IPGUARD_CADDY', names: ['caddy'], debian: ['caddy'], inside: 'usr/bin/caddy' },
  chromium: {
    variable: 'IPGUARD_CHROMIUM',
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    debian: ['chromium', 'chromium-common'],
    inside: 'usr/lib/chromium/chromium',
  },
  crowdsec: { variable: 'IPGUARD_CROWDSEC', names: ['crowdsec'], debian: ['crowdsec'], inside: 'usr/bin/crowdsec' },
  cscli: { variable: 'IPGUARD_CSCLI', names: ['cscli'], debian: ['crowdsec'], inside: 'usr/bin/cscli' },
  dnsmasq: { variable: 'IPGUARD_DNSMASQ', names: ['dnsmasq'], debian: ['dnsmasq-base'], inside: 'usr/sbin/dnsmasq' },
  haproxy: { variable: 'IPGUARD_HAPROXY', names: ['haproxy'], debian: ['haproxy'], inside: 'usr/sbin/haproxy' },
  nginx: { variable: 'IPGUARD_NGINX', names: ['nginx'], debian: ['nginx', 'nginx-common'], inside: 'usr/sbin/nginx' },
  rbldnsd: { variable: 'IPGUARD_RBLDNSD', names: ['rbldnsd'], debian: ['rbldnsd'], inside: 'usr/sbin/rbldnsd' },
  'redis-cli': {
    variable: 'IPGUARD_REDIS_CLI',
    names: ['redis-cli', 'valkey-cli'],
    debian: REDIS,
    inside: 'usr/bin/redis-cli',
  },
  'redis-server': {
    variable: 'IPGUARD_REDIS_SERVER',
    names: ['redis-server', 'valkey-server'],
    debian: REDIS,
    inside: 'usr/bin/redis-server',
  },
  // Since Debian 13.
  'valkey-server': {
    variable: 'IPGUARD_VALKEY_SERVER',
    names: ['valkey-server'],
    debian: ['valkey-server', 'valkey-tools'],
    inside: 'usr/bin/valkey-server',
  },
}

/**
 * Finds a program that a test needs: the path in its environment variable (`IPGUARD_NGINX`), then PATH and the system's
 * sbin folders, then Debian's packages, fetched without root into `.cache/services` of the checkout.
 *
 * `IPGUARD_SERVICES=fetch` goes to the fetch at once. If nothing works it throws what to install: a test that needs the
 * program fails then, and is never skipped.
 *
 * @example
 * const { path, env } = findProgram('redis-server')
 */
export function findProgram(name: ProgramName, environment: NodeJS.ProcessEnv = process.env): Program {
  const source = SOURCES[name]
  const given = environment[source.variable]
  if (given) {
    if (isExecutable(given)) return { path: given, env: {}, origin: 'environment' }
    throw new Error(`${source.variable} is "${given}", which is not an executable file. Correct or unset it.`)
  }
  const forced = environment.IPGUARD_SERVICES
  if (forced !== undefined && forced !== 'fetch') {
    throw new Error(`IPGUARD_SERVICES is "${forced}". Write "fetch", or unset it.`)
  }
  const installed = forced ? undefined : onPath(source.names, environment.PATH ?? '')
  if (installed) return { path: installed, env: {}, origin: 'path' }
  try {
    return { ...fetchDebian(source), origin: 'fetched' }
  } catch (cause) {
    const install = `Install it (Debian, Ubuntu: apt-get install ${source.debian[0]}), or set ${source.variable} to its path.`
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${name} is not on PATH and could not be fetched: ${reason}\n${install}`, { cause })
  }
}

/**
 * Whether a program can be had that not every system has: false when it is not installed and Debian's packages lack it.
 *
 * For a test that says by its name that it could not be run; throws, like `findProgram`, when anything else is wrong.
 * Asking Debian takes seconds.
 */
export function hasProgram(name: ProgramName, environment: NodeJS.ProcessEnv = process.env): boolean {
  try {
    findProgram(name, environment)
    return true
  } catch (error) {
    if (/Unable to locate package|there is no apt-get here/.test(String(error))) return false
    throw error
  }
}

function onPath(names: readonly string[], path: string): string | undefined {
  const folders = [...path.split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'].filter((folder) => folder !== '')
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
