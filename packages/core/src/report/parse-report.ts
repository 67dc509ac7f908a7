import type { Client } from '../client-ip/client.ts'
import { resolvedClient } from '../client-ip/client.ts'
import { describe, IpGuardError } from '../errors.ts'
import { parseAddress } from '../ip/address.ts'
import { checkOptions, invalidOption } from '../options.ts'
import { REPORT_TYPES } from '../reputation/report.ts'
import type { Reported } from './report-desk.ts'
import type { ReportInput } from './report-result.ts'

/**
 * Whom `guard.report` was given, checked together with what.
 *
 * @throws {IpGuardError} `IPGUARD_ADDRESS_INVALID`, `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`
 */
export function parseReport(
  client: Client | string,
  input: ReportInput,
  ipv6Prefix: number,
): Omit<Reported, 'policies'> {
  const given = typeof client === 'object' && client !== null ? client : undefined
  const text = given ? given.ip : (client as string) // or anything else, which is no address
  const address = parseAddress(text)
  if (!address)
    throw new IpGuardError(
      'IPGUARD_ADDRESS_INVALID',
      `guard.report: ${describe(text)} is no address. Write one address: '9.9.9.9' or '2620:fe::9'.`,
    )
  checkOptions(input, ['type', 'message', 'at'], 'guard.report')
  const { type, message, at } = input
  if (!REPORT_TYPES.includes(type))
    throw invalidOption('guard.report: type', type, `one of ${REPORT_TYPES.map((each) => `'${each}'`).join(', ')}`)
  // What was received is not shown: it may hold a secret.
  if (message !== undefined && typeof message !== 'string')
    throw invalidOption('guard.report: message', typeof message, 'a text')
  if (at !== undefined && !isTime(at)) throw invalidOption('guard.report: at', at, 'epoch milliseconds or a Date')
  const { ip, key } = resolvedClient(address, ipv6Prefix, { rule: 'socket' }).client
  return { ip, key, address, via: given?.via }
}

/** As far as a Date reaches. */
function isTime(at: unknown): at is number | Date {
  const time = at instanceof Date ? at.getTime() : at
  return typeof time === 'number' && time >= 0 && time <= 8.64e15
}
