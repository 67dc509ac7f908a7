import { type Awaitable, checkOptions, IpGuardError, invalidOption, type Provider, type Report } from '@ipguard/core'
import { checkBaseUrl } from './http/provider-url.ts'
import type { Send } from './http/send.ts'
import { checkKey } from './http-provider-options.ts'

/** What reporting to StopForumSpam takes. */
export interface StopforumspamReporting {
  /** A key of the vendor's, which only reports need. It travels in the body and appears in no error. */
  readonly key: string
  /**
   * Which account the spam came from: the vendor takes no report without its user name and e-mail address, and **publishes both**. Undefined:
   * nothing is reported. Make sure that you may pass them on.
   */
  readonly account: (
    ip: string,
    report: Report,
  ) => Awaitable<{ readonly username: string; readonly email: string } | undefined>
  /** @default 'https://www.stopforumspam.com/add.php' */
  readonly url?: string
}

const URL_OF_REPORTS = 'https://www.stopforumspam.com/add.php'

export function checkReporting(reporting: StopforumspamReporting): void {
  checkOptions(reporting, ['key', 'account', 'url'], 'stopforumspam.reporting')
  checkKey(reporting.key, 'stopforumspam.reporting.key')
  if (typeof reporting.account !== 'function') {
    throw invalidOption(
      'stopforumspam.reporting.account',
      reporting.account,
      'a function that answers { username, email }',
    )
  }
  checkBaseUrl(reporting.url ?? URL_OF_REPORTS, 'stopforumspam.reporting.url')
}

/** Sends one account. What the vendor answers is judged and not quoted: it may repeat the account. */
export function stopforumspamReport(reporting: StopforumspamReporting, send: Send): NonNullable<Provider['report']> {
  const url = checkBaseUrl(reporting.url ?? URL_OF_REPORTS, 'stopforumspam.reporting.url')
  return async (ip, report, context) => {
    const account = await reporting.account(ip, report)
    if (!account) throw new IpGuardError('IPGUARD_REPORT_DECLINED', 'stopforumspam takes no report without an account.')
    const { username, email } = account
    const body = new URLSearchParams({ username, ip_addr: ip, email, evidence: report.message, api_key: reporting.key })
    await send(
      { url, method: 'POST', body },
      context,
      ({ status, text }) => {
        if (status === 200) return
        if (/duplicate/i.test(text)) {
          throw new IpGuardError('IPGUARD_REPORT_DUPLICATE', 'stopforumspam has this report already.')
        }
        if (/\bkey\b/i.test(text)) {
          throw new IpGuardError('IPGUARD_PROVIDER_REFUSED', 'stopforumspam does not accept the key of reports.')
        }
        throw failed('did not take the report')
      },
      { 403: 'read' },
    )
  }
}

function failed(what: string): IpGuardError {
  return new IpGuardError('IPGUARD_REPORT_FAILED', `stopforumspam ${what}.`)
}
