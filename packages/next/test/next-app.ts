import { resolve } from 'node:path'
import { EDGE_PATH, suiteRoutePaths } from './suite-route-paths.ts'

/** An application of the matrix: what it is built with, and where its adapter runs. */
export interface NextApp {
  readonly version: '14.2.35' | '15.5.29' | '16.4.6'
  /** The file that Next looks for. */
  readonly file: 'middleware' | 'proxy'
  readonly runtime: 'edge' | 'nodejs'
  /** With a base path and locales, as a standalone server; `raw`: and with URLs as Next got them. Absent: neither. */
  readonly located?: 'plain' | 'raw'
}

/** Where the pages of a located application are, and in which languages. */
export const BASE_PATH = '/shop'
export const LOCALES = ['en', 'fr', 'de-AT'] as const

/** The files of an application, by their path inside it, without the bundles that they import. */
export function appFiles(app: NextApp): Readonly<Record<string, string>> {
  const { file, runtime, located } = app
  const files: Record<string, string> = {}
  // proxy.ts has one runtime and refuses to be told it; Next 14 has no other than edge.
  const config = file === 'middleware' && runtime === 'nodejs' ? `export const config = { runtime: 'nodejs' }\n` : ''
  files[`${file}.js`] = `import { suiteProxy } from './suite.mjs'

export function ${file}(request, event) {
  return suiteProxy(request, event)
}
${config}`
  files['instrumentation.js'] = `export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs' || process.env.SUITE_PEER !== 'instrumentation') return
  const { registerPeer } = await import('./peer.mjs')
  registerPeer()
}
`
  files['next.config.mjs'] = `export default ${JSON.stringify(nextConfig(app), undefined, 2)}\n`
  // Locales are for the pages router alone.
  if (located) return { ...files, ...LOCATED_PAGES }
  for (const [path, methods] of suiteRoutePaths) {
    const up = '../'.repeat(path.split('/').length)
    const exports = methods.map((method) => `export const ${method} = suiteRoute('${method}', '${path}')\n`)
    files[`app${path}/route.js`] = `import { suiteRoute } from '${up}suite.mjs'

export const dynamic = 'force-dynamic'
${path === EDGE_PATH ? "export const runtime = 'edge'\n" : ''}${exports.join('')}`
  }
  Object.assign(files, PAGES)
  return files
}

const GUARDED_API: Readonly<Record<string, string>> = {
  'pages/api/guarded.js': `export { suiteApi as default } from '../../suite-pages.mjs'
`,
}

/** What the suite's routes are not: an API route of the pages router, and a page with a server action. */
const PAGES: Readonly<Record<string, string>> = {
  ...GUARDED_API,
  'pages/api/open.js': `export default function open(request, response) {
  response.json({ client: 'not asked' })
}
`,
  'app/layout.js': `import { createElement } from 'react'

export default function Layout({ children }) {
  return createElement('html', null, createElement('body', null, children))
}
`,
  'app/action/actions.js': `'use server'

import { suiteAction } from '../../suite-action.mjs'

export async function act(form) {
  return suiteAction(form)
}
`,
  'app/action/page.js': `import { createElement } from 'react'
import { act } from './actions.js'

export const dynamic = 'force-dynamic'

export default function Page() {
  return createElement('form', { action: act }, createElement('input', { name: 'word' }))
}
`,
}

/** A page made anew for each request, one made when it is built, and API routes. */
const LOCATED_PAGES: Readonly<Record<string, string>> = {
  ...GUARDED_API,
  'pages/admin.js': locatedPage('getServerSideProps'),
  'pages/static.js': locatedPage('getStaticProps'),
  'pages/api/open.js': `export default function open(request, response) {
  response.json({ found: 'the page' })
}
`,
}

function locatedPage(loader: string): string {
  return `import { createElement } from 'react'

export async function ${loader}() {
  return { props: { found: 'the page' } }
}

export default function Page({ found }) {
  return createElement('p', null, found)
}
`
}

function nextConfig({ version, located }: NextApp): object {
  const common = {
    ...(located && {
      basePath: BASE_PATH,
      i18n: { locales: LOCALES, defaultLocale: LOCALES[0] },
      output: 'standalone',
    }),
    ...(located === 'raw' && { [version === '16.4.6' ? 'skipProxyUrlNormalize' : 'skipMiddlewareUrlNormalize']: true }),
    // Next answers the paths that it redirects by itself, before the proxy: here the guard is to hear of every request.
    skipTrailingSlashRedirect: true,
    // There is no TypeScript in it, and looking takes time.
    typescript: { ignoreBuildErrors: true },
  }
  const linted = { ...common, eslint: { ignoreDuringBuilds: true } }
  // The lockfile further up is not this application's: Next would say so at every build.
  const root = resolve(import.meta.dirname, '../../..')
  if (version === '14.2.35') return { ...linted, experimental: { instrumentationHook: true } }
  if (version === '15.5.29') return { ...linted, outputFileTracingRoot: root }
  return { ...common, turbopack: { root } }
}
