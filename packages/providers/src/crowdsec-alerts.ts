import { type Clock, type Duration, IpGuardError, type LookupContext, type Provider, type Report } from '@ipguard/core'
import { formatGoDuration } from './crowdsec-duration.ts'
import type { CrowdsecMachine } from './crowdsec-options.ts'
import type { Send } from './http-provider.ts'
import { list, number, object, required, text } from './read-json.ts'

interface AlertOptions {
  readonly send: Send
  readonly baseUrl: string
  readonly userAgent: string
  readonly machine: CrowdsecMachine
  readonly ban: Duration | undefined
  readonly clock: Clock
}

/** A token is good for an hour; one that is about to end is not used any more. */
const MARGIN = 60_000

/** Reports as alerts of a machine. The token is kept until it ends, or until it is refused: then the machine logs in once more. */
export function createAlerts({
  send,
  baseUrl,
  userAgent,
  machine,
  ban,
  clock,
}: AlertOptions): Required<Pick<Provider, 'report' | 'reportMany'>> {
  const duration = ban === undefined ? undefined : formatGoDuration(ban, 'crowdsec.ban')
  const json = { 'content-type': 'application/json', 'user-agent': userAgent }
  let token: { readonly text: string; readonly until: number } | undefined

  async function logIn(context: LookupContext): Promise<string> {
    const body = JSON.stringify({ machine_id: machine.machineId, password: machine.password, scenarios: [] })
    const request = { url: `${baseUrl}/v1/watchers/login`, method: 'POST', headers: json, body }
    const answer = await send(request, context, (each) => object(each.json()))
    const got = required(text(answer?.token, 8_192), 'a token')
    // By the server's clock; how far that is from this one is found out by a 401.
    const end = Date.parse(text(answer?.expire) ?? '')
    token = { text: got, until: Number.isFinite(end) ? end - MARGIN : clock.now() + MARGIN }
    return got
  }

  /** Undefined: the token was refused. */
  async function push(body: string, bearer: string, context: LookupContext): Promise<true | undefined> {
    const headers = { ...json, authorization: `Bearer ${bearer}` }
    const request = { url: `${baseUrl}/v1/alerts`, method: 'POST', headers, body }
    const read = { 200: 'read', 201: 'read', 401: 'unlisted' } as const
    return send(request, context, (answer) => required(list(answer.json()), 'the ids of the alerts') && true, read)
  }

  async function pushAll(alerts: readonly object[], context: LookupContext): Promise<void> {
    if (alerts.length === 0) return
    const body = JSON.stringify(alerts)
    const kept = token && clock.now() < token.until ? token.text : undefined
    if (kept !== undefined && (await push(body, kept, context))) return
    token = undefined
    if (await push(body, await logIn(context), context)) return
    token = undefined
    throw new IpGuardError(
      'IPGUARD_PROVIDER_REFUSED',
      'The CrowdSec Local API refuses the token that it has just given. Check the machine with "cscli machines list": it has to be validated.',
    )
  }

  function alertOf(ip: string, { type, message, at }: Report): object {
    const now = clock.now()
    const scenario = `ipguard/${type}`
    const source = { scope: 'Ip', value: ip, ip }
    return {
      scenario,
      scenario_hash: '',
      scenario_version: '',
      message,
      events_count: 1,
      start_at: new Date(Math.min(number(at) ?? now, now)).toISOString(),
      // A decision ends its duration after this time: it must be now, however old the event is.
      stop_at: new Date(now).toISOString(),
      capacity: 0,
      leakspeed: '0s',
      simulated: false,
      events: [],
      remediation: duration !== undefined,
      source,
      ...(duration !== undefined && {
        decisions: [{ duration, origin: 'ipguard', scenario, scope: 'Ip', type: 'ban', value: ip }],
      }),
    }
  }

  return {
    report: (ip, report, context) => pushAll([alertOf(ip, report)], context),
    reportMany: (reports, context) =>
      pushAll(
        reports.map(({ ip, report }) => alertOf(ip, report)),
        context,
      ),
  }
}
