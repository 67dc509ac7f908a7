import { classifyAddress, describe, IpGuardError, invalidOption, parseAddress } from '@ipguard/core'

/**
 * The URL, if it is one that may be asked: http or https, with no user or password in it.
 *
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, without the URL: it may carry a key.
 */
export function checkUrl(url: string | URL): URL {
  const read = readUrl(url)
  if (!read)
    throw new IpGuardError('IPGUARD_OPTION_INVALID', 'The URL is no URL. Write one that starts with "https://".')
  if (!isWeb(read) || read.username !== '' || read.password !== '') {
    throw new IpGuardError(
      'IPGUARD_OPTION_INVALID',
      `The URL of ${describe(read.hostname)} is not http or https, or has a user or password in it. Put those into a header.`,
    )
  }
  return read
}

/**
 * The base URL of a provider, without the slash at its end. It is https, or http to this machine; with `plainHttp` http to any host.
 *
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`
 */
export function checkBaseUrl(value: unknown, option: string, plainHttp = false): string {
  const url = typeof value === 'string' ? readUrl(value) : undefined
  const isSafe = url && (url.protocol === 'https:' || (url.protocol === 'http:' && (plainHttp || isLoopback(url))))
  if (!url || !isSafe || url.username || url.password || url.search || url.hash) {
    const shown = url ? `${url.protocol}//${url.hostname}` : typeof value === 'string' ? 'no URL' : value
    throw invalidOption(option, shown, 'an https URL without user, query and fragment (http only to this machine)')
  }
  return url.href.replace(/\/+$/, '')
}

/** Where a redirect leads, if it may be followed: never to plain http, and never from outside to an address of this machine or network. */
export function redirectTarget(from: URL, location: string | null): URL | undefined {
  const to = location === null ? undefined : readUrl(location, from)
  if (!to || !isWeb(to) || to.username !== '' || to.password !== '') return undefined
  if (isLoopback(from)) return to.protocol === 'https:' || isLoopback(to) ? to : undefined
  return to.protocol === 'https:' && !isSpecial(to) ? to : undefined
}

function readUrl(url: string | URL, base?: URL): URL | undefined {
  try {
    return new URL(url, base)
  } catch {
    return undefined
  }
}

const isWeb = ({ protocol }: URL): boolean => protocol === 'https:' || protocol === 'http:'

function isLoopback(url: URL): boolean {
  if (url.hostname === 'localhost') return true
  const address = addressOf(url)
  return address !== undefined && classifyAddress(address) === 'loopback'
}

function isSpecial(url: URL): boolean {
  const address = addressOf(url)
  return url.hostname === 'localhost' || (address !== undefined && classifyAddress(address) !== undefined)
}

function addressOf({ hostname }: URL): ReturnType<typeof parseAddress> {
  return parseAddress(hostname.replace(/^\[|\]$/g, ''))
}
