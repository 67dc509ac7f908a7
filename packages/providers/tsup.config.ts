import { build } from '../../tsup.base.ts'

// One entry for each source, named as its file. `dispatcher-*` are what `#dispatcher` of package.json leads to.
export default build(
  {
    index: 'src/index.ts',
    abuseipdb: 'src/abuseipdb.ts',
    feeds: 'src/feeds/index.ts',
    getipintel: 'src/getipintel.ts',
    ipasis: 'src/ipasis.ts',
    ipwhois: 'src/ipwhois.ts',
    'crowdsec-cti': 'src/crowdsec-cti.ts',
    greynoise: 'src/greynoise.ts',
    internetdb: 'src/internetdb.ts',
    'ip-api': 'src/ip-api.ts',
    'ip2location-io': 'src/ip2location-io.ts',
    'ipapi-is': 'src/ipapi-is.ts',
    ipdata: 'src/ipdata.ts',
    ipinfo: 'src/ipinfo.ts',
    ipqualityscore: 'src/ipqualityscore.ts',
    proxycheck: 'src/proxycheck.ts',
    stopforumspam: 'src/stopforumspam.ts',
    vpnapi: 'src/vpnapi.ts',
    crowdsec: 'src/crowdsec.ts',
    dnsbl: 'src/dnsbl.ts',
    httpbl: 'src/httpbl.ts',
    list: 'src/list.ts',
    mmdb: 'src/mmdb.ts',
    'dispatcher-node': 'src/http/dispatcher-node.ts',
    'dispatcher-web': 'src/http/dispatcher-web.ts',
  },
  ['#dispatcher'],
)
