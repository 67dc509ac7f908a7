import { caddy, haproxy, nginx } from '@ipguard/core'
import { before, caddyTo, type Front, haproxyTo, nginxTo } from './front.ts'

/** The proxy on this machine, and nobody else. */
const ONE = ['127.0.0.1/32']
/** A proxy before that one, which connects from an address of its own. */
const TWO = ['127.0.0.1/32', '127.0.0.2/32']

const APPEND = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;'
const OVERWRITE = 'proxy_set_header X-Forwarded-For $remote_addr;'
const REAL_IP = 'proxy_set_header X-Real-IP $remote_addr;'
const FORWARDED = 'proxy_set_header Forwarded "for=$forwarded_node";'
const FORWARDED_APPEND = 'proxy_set_header Forwarded "$http_forwarded, for=$forwarded_node";'
/** An IPv6 address stands in quotes and brackets. */
const FORWARDED_NODE = `map $remote_addr $forwarded_node {
  default $remote_addr;
  ~:      '"[$remote_addr]"';
}`
const REALIP = `set_real_ip_from 10.0.0.5;
real_ip_header X-Forwarded-For;
real_ip_recursive on;`
const PROXY_PROTOCOL = `set_real_ip_from 10.0.0.5;
real_ip_header proxy_protocol;`
/** The far proxy connects from an address of its own, as it would from another machine. */
export const SOURCE = 'source 127.0.0.2'
const CADDY_BEHIND = 'trusted_proxies 10.0.0.5/32'
/** Caddy obeys the caller's `Connection: X-Forwarded-For`, which HAProxy passes on, and drops what HAProxy wrote. */
const NO_DROPPING = 'http-request deny if { req.hdr(Connection) -m sub -i x-forwarded-for }'

const CDN = 'http-request set-header CF-Connecting-IP %[src]'
const FROM_CDN = `set_real_ip_from 10.0.0.5;           # each of Cloudflare's ranges
real_ip_header CF-Connecting-IP;
${OVERWRITE}`

/** A setting of the page, whose far proxy is at 10.0.0.5, for the one that connects from 127.0.0.2. */
const here = (setting: string): string => setting.replaceAll('10.0.0.5', '127.0.0.2')

const startTwoAppending: Front['start'] = (app) =>
  before(nginxTo(app, { setting: APPEND }), (port) => nginxTo(port, { setting: `${APPEND} proxy_bind 127.0.0.2;` }))

const nginxFronts: readonly Front[] = [
  {
    name: 'nginx that appends to X-Forwarded-For',
    clientIp: nginx({ trust: ONE }),
    setting: APPEND,
    start: async (app) => [await nginxTo(app, { setting: APPEND })],
  },
  {
    name: 'nginx that appends, one hop counted',
    clientIp: { header: 'x-forwarded-for', hops: 1, trust: ONE },
    setting: APPEND,
    start: async (app) => [await nginxTo(app, { setting: APPEND })],
  },
  {
    name: 'nginx that overwrites X-Forwarded-For',
    clientIp: nginx({ trust: ONE }),
    setting: OVERWRITE,
    start: async (app) => [await nginxTo(app, { setting: OVERWRITE })],
  },
  {
    name: 'nginx that sets X-Real-IP and lets the rest through',
    clientIp: { header: 'x-real-ip', trust: ONE },
    setting: REAL_IP,
    start: async (app) => [await nginxTo(app, { setting: REAL_IP })],
  },
  {
    name: 'nginx that sets Forwarded',
    clientIp: { header: 'forwarded', trust: ONE },
    setting: FORWARDED,
    start: async (app) => [await nginxTo(app, { http: FORWARDED_NODE, setting: FORWARDED })],
  },
  {
    name: 'nginx that appends to Forwarded',
    clientIp: { header: 'forwarded', trust: ONE },
    setting: FORWARDED_APPEND,
    start: async (app) => [await nginxTo(app, { http: FORWARDED_NODE, setting: FORWARDED_APPEND })],
  },
  {
    name: 'nginx behind nginx, both appending',
    clientIp: nginx({ trust: TWO }),
    setting: APPEND,
    start: startTwoAppending,
  },
  {
    name: 'nginx behind nginx, two hops counted',
    clientIp: { header: 'x-forwarded-for', hops: 2, trust: ONE },
    setting: APPEND,
    start: startTwoAppending,
  },
  {
    name: 'nginx with realip behind HAProxy',
    clientIp: nginx({ trust: ONE }),
    setting: REALIP,
    start: (app) =>
      before(nginxTo(app, { server: here(REALIP), setting: OVERWRITE }), (port) =>
        haproxyTo(port, { setting: 'option forwardfor', server: SOURCE }),
      ),
  },
  {
    name: 'nginx that takes the header of a CDN (HAProxy in its place)',
    clientIp: nginx({ trust: ONE }),
    setting: FROM_CDN,
    start: (app) =>
      before(nginxTo(app, { setting: here(FROM_CDN) }), (port) => haproxyTo(port, { setting: CDN, server: SOURCE })),
  },
  ...(['send-proxy', 'send-proxy-v2'] as const).map((send) => ({
    name: `nginx that takes the PROXY protocol (HAProxy, ${send})`,
    clientIp: nginx({ trust: ONE }),
    setting: PROXY_PROTOCOL,
    start: (app: number) =>
      before(nginxTo(app, { listen: ' proxy_protocol', server: here(PROXY_PROTOCOL), setting: OVERWRITE }), (port) =>
        haproxyTo(port, { setting: 'mode tcp', server: `${send} ${SOURCE}` }),
      ),
  })),
]

const caddyFronts: readonly Front[] = [
  {
    name: 'Caddy as it comes',
    clientIp: caddy({ trust: ONE }),
    setting: 'reverse_proxy 127.0.0.1:3000',
    start: async (app) => [await caddyTo(app, {})],
  },
  {
    name: 'Caddy that sets X-Real-IP',
    clientIp: { header: 'x-real-ip', trust: ONE },
    setting: 'header_up X-Real-IP {remote_host}',
    start: async (app) => [await caddyTo(app, { setting: 'header_up X-Real-IP {remote_host}' })],
  },
  {
    name: 'Caddy that trusts HAProxy before it',
    clientIp: caddy({ trust: TWO }),
    setting: CADDY_BEHIND,
    start: (app) =>
      before(caddyTo(app, { setting: here(CADDY_BEHIND) }), (port) =>
        haproxyTo(port, { setting: `${NO_DROPPING}\noption forwardfor`, server: SOURCE }),
      ),
  },
]

const haproxyFronts: readonly Front[] = [
  ...[
    'option forwardfor',
    'http-request set-header X-Forwarded-For %[src]',
    'http-request del-header X-Forwarded-For\noption forwardfor',
  ].map((setting) => ({
    name: `HAProxy with ${setting.replace('\n', ', ')}`,
    clientIp: haproxy({ trust: ONE }),
    setting,
    start: async (app: number) => [await haproxyTo(app, { setting })],
  })),
  {
    name: 'HAProxy that sets X-Real-IP',
    clientIp: { header: 'x-real-ip', trust: ONE },
    setting: 'http-request set-header X-Real-IP %[src]',
    start: async (app) => [await haproxyTo(app, { setting: 'http-request set-header X-Real-IP %[src]' })],
  },
]

/** Each setting of a real proxy, with what the application is told: whatever a caller sends, it is who it is. */
export const fronts: readonly Front[] = [...nginxFronts, ...caddyFronts, ...haproxyFronts]

/** One of each as people set it up, before an application that was told nothing, or of another machine's. */
export const untoldFronts: readonly Front[] = [nginxFronts[0], caddyFronts[0], haproxyFronts[0]].filter(
  (front) => front !== undefined,
)
