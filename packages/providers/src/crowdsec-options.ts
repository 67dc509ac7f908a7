import { type Clock, checkOptions, type Duration, type IpGuardError, invalidOption, parseDuration } from '@ipguard/core'
import { checkBaseUrl } from './http/provider-url.ts'
import type { HttpProviderOptions } from './http-provider.ts'
import { checkKey } from './http-provider-options.ts'

/** A machine (watcher) of the Local API: `cscli machines add ipguard --password ...`. */
export interface CrowdsecMachine {
  readonly machineId: string
  readonly password: string
}

/** The options of `crowdsec`: which LAPI, live or as a stream. */
export interface CrowdsecOptions extends Omit<HttpProviderOptions, 'baseUrl' | 'quota'> {
  /** The Local API: `http://127.0.0.1:8080`. Plain http is taken for any host; use it only inside your own network. */
  readonly url: string
  /** Of a bouncer: `cscli bouncers add ipguard`. In stream mode each process needs its own. */
  readonly key: string
  /** `live` asks for each address; `stream` keeps a copy of all decisions and answers from memory. @default 'live' */
  readonly mode?: 'live' | 'stream'
  /** The score of each type of decision, `'*'` for all others; 0: such decisions are ignored. @default { ban: 100, captcha: 60, '*': 100 } */
  readonly types?: Readonly<Record<string, number>>
  /** Stream: the time between two pulls, up to a tenth more or less. @default '10s' */
  readonly every?: Duration
  /** Stream: how often all decisions are pulled anew instead of the changes. @default '1h' */
  readonly full?: Duration
  /** Stream: how long one pull may be. @default 134217728 */
  readonly maxBytes?: number
  /** How often the Local API is told how many addresses were asked about and how many had a decision; false: never. @default '15m' */
  readonly metrics?: Duration | false
  /** Needed to report. Without it the provider takes no reports. */
  readonly machine?: CrowdsecMachine
  /** A report also places a ban of this length. @default none: an alert alone */
  readonly ban?: Duration
  /** Stream: called when pulls begin to fail, and with the first failure of another kind. */
  readonly onWarning?: (warning: IpGuardError) => void
  /** @default the system's */
  readonly clock?: Clock
}

const OPTIONS: readonly string[] = [
  'name',
  'weight',
  'ttl',
  'timeout',
  'fetch',
  'url',
  'key',
  'mode',
  'types',
  'every',
  'full',
  'maxBytes',
  'metrics',
  'machine',
  'ban',
  'onWarning',
  'clock',
]
const STREAM_ONLY = ['every', 'full', 'maxBytes', 'onWarning'] as const

/**
 * The base URL, once all options are checked that `httpProvider` does not check.
 *
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`
 */
export function checkCrowdsecOptions(options: CrowdsecOptions): string {
  checkOptions(options, OPTIONS, 'crowdsec')
  const { mode = 'live', metrics, machine, ban, maxBytes } = options
  if (mode !== 'live' && mode !== 'stream') throw invalidOption('crowdsec.mode', mode, "'live' or 'stream'")
  checkKey(options.key, 'crowdsec.key')
  for (const name of STREAM_ONLY) {
    if (mode === 'live' && options[name] !== undefined) {
      throw invalidOption(`crowdsec.${name}`, options[name], "it with mode: 'stream', or leave it out")
    }
  }
  if (mode === 'stream' && options.ttl !== undefined) {
    throw invalidOption('crowdsec.ttl', options.ttl, "it with mode: 'live', or leave it out: a stream is not cached")
  }
  for (const name of ['every', 'full', 'ban'] as const) {
    if (options[name] !== undefined) parseDuration(options[name], `crowdsec.${name}`)
  }
  if (metrics !== undefined && metrics !== false) parseDuration(metrics, 'crowdsec.metrics')
  if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes > 0)) {
    throw invalidOption('crowdsec.maxBytes', maxBytes, 'a number of bytes above 0')
  }
  if (machine !== undefined) {
    checkOptions(machine, ['machineId', 'password'], 'crowdsec.machine')
    for (const name of ['machineId', 'password'] as const) {
      // Never shown: it may be the password.
      if (typeof machine[name] !== 'string' || machine[name] === '') {
        throw invalidOption(
          `crowdsec.machine.${name}`,
          typeof machine[name],
          'the text that cscli machines add was given',
        )
      }
    }
  }
  if (ban !== undefined && !machine)
    throw invalidOption('crowdsec.ban', ban, 'it together with machine, which may place bans')
  return checkBaseUrl(options.url, 'crowdsec.url', true)
}
