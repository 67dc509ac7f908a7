import { readFileSync } from 'node:fs'
import type { Provider } from '@ipguard/core'
import { expect, it } from 'vitest'
import { abuseipdb } from './abuseipdb.ts'
import { crowdsec } from './crowdsec.ts'
import { crowdsecCti } from './crowdsec-cti.ts'
import { dnsbl } from './dnsbl.ts'
import { FLAG_SCORES } from './flag-score.ts'
import { getipintel } from './getipintel.ts'
import { greynoise } from './greynoise.ts'
import { httpbl } from './httpbl.ts'
import { internetdb } from './internetdb.ts'
import { ipApi } from './ip-api.ts'
import { ip2locationIo } from './ip2location-io.ts'
import { ipapiIs } from './ipapi-is.ts'
import { ipasis } from './ipasis.ts'
import { ipdata } from './ipdata.ts'
import { ipinfo } from './ipinfo.ts'
import { ipqualityscore } from './ipqualityscore.ts'
import { ipwhois } from './ipwhois.ts'
import { proxycheck } from './proxycheck.ts'
import { stopforumspam } from './stopforumspam.ts'
import { vpnapi } from './vpnapi.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The rows of the table that begins so, by their first cell. */
function tableAt(head: string): ReadonlyMap<string, readonly string[]> {
  const [, , ...rows] =
    /^(?:\|.*\n)+/
      .exec(readme.slice(readme.indexOf(`\n${head}`) + 1))?.[0]
      .trim()
      .split('\n') ?? []
  return new Map(rows.map((row) => row.slice(2, -2).split(' | ')).map(([first = '', ...rest]) => [first, rest]))
}

const key = 'abcdefghijkl'
const url = 'http://127.0.0.1:8080'
const keyed = { key, keyIn: { header: 'x-api-key' } } as const
const made: Readonly<Record<string, Provider>> = {
  '`abuseipdb`': abuseipdb({ key }),
  '`crowdsec`, live': crowdsec({ url, key }),
  '`crowdsec-cti`': crowdsecCti({ key }),
  '`dnsbl` and its presets': dnsbl({ zone: 'list.test' }),
  '`getipintel`': getipintel({ contact: 'ops@shop.example' }),
  '`greynoise`': greynoise(),
  '`httpbl`': httpbl({ key }),
  '`internetdb`': internetdb(),
  '`ip-api`': ipApi({ key }),
  "`ip-api`, `plan: 'free'`": ipApi({ plan: 'free', plainHttp: true }),
  '`ip2location-io`': ip2locationIo(),
  '`ip2location-io` with a key': ip2locationIo({ key }),
  '`ipapi-is`': ipapiIs(),
  '`ipasis`': ipasis({ key }),
  '`ipdata`': ipdata({ key }),
  '`ipinfo`': ipinfo({ key }),
  '`ipqualityscore`': ipqualityscore({ key }),
  '`ipwhois`': ipwhois(),
  '`ipwhois` with a key': ipwhois(keyed),
  '`proxycheck`': proxycheck(),
  '`proxycheck` with a key': proxycheck({ key }),
  '`stopforumspam`': stopforumspam(),
  '`vpnapi`': vpnapi({ key }),
}

it('the README has the default quota and timeout of every provider', () => {
  const shown = ({ quota = {}, timeout = '5s' }: Provider): readonly string[] => {
    const text = Object.entries(quota).map(([name, value]) => `${name}: ${String(value).replace(/\B(?=\d{3}$)/, '_')}`)
    return [text.length > 0 ? `\`{ ${text.join(', ')} }\`` : 'none', `\`'${timeout}'\``]
  }
  expect(Object.fromEntries(tableAt('| provider | default `quota` |'))).toEqual(
    Object.fromEntries(Object.entries(made).map(([name, provider]) => [name, shown(provider)])),
  )
})

it('the README has FLAG_SCORES', () => {
  const groups = [...tableAt('| `FLAG_SCORES` |')].flatMap(([score, [names = '']]) =>
    names.split(', ').map((name) => [name.replaceAll('`', ''), Number(score)] as const),
  )
  expect(Object.fromEntries(groups)).toEqual(FLAG_SCORES)
})
