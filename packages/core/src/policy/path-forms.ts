import type { GuardRequest } from '../request.ts'

/**
 * The forms that a request's path can take on its way to a handler. Routers disagree about case, escapes, dots, slashes and parameters;
 * a rule that denies must hold for any form that some router would take, a rule that allows only for all of them.
 */
export interface PathForms {
  /** As sent: path only, without query, fragment, scheme or host. */
  readonly raw: string
  /** Every form, also of the request's other names, folded to lower case and without a slash at the end. */
  readonly folded: readonly string[]
  /** Every form but for case and the slash at the end, which only some routers ignore. */
  readonly exact: readonly string[]
  /** There are more forms than were made: a rule that refuses holds, one that allows does not. */
  readonly endless: boolean
}

const NONE: readonly string[] = []

/** How much is made of a path, in characters of all its forms: one of 100 characters may have 200 forms, one of 10,000 has 10. */
const ROOM = 8_192

/** What is made of a path besides decoding it, which may come before all of this or after. */
const STEPS: readonly ((path: string) => string)[] = [
  fixBackslashes,
  stripParameters,
  swallowHost,
  // Before dots and after them: file servers take `/x//../y` for `/y`, URL parsers for `/x/y`.
  collapseSlashes,
  // Both: `/x/%2e/../y` is `/x/y` to who knows no `%2e`, and `/y` to URL parsers.
  resolvePlainDots,
  resolveDots,
  collapseSlashes,
  cutTail,
]

/**
 * What stands behind a page's path where its scripts ask for its data, which runs the page's code: of SvelteKit, Nuxt, Qwik City, React Router
 * and Next.js, as their sources have it. Nuxt takes any character before `json`, and a hash.
 */
const DATA = /(?:__data\.json|\/_payload[^/]*|\/q-data\.json|(?:\/_\w*)?\.(?:data|rsc))$/

/** Escapes that can be decoded. */
const UTF8 =
  /(?:%[0-7][\da-f]|%(?:c[2-9a-f]|d[\da-f]|(?:e0%[ab]|ed%[89]|(?:e[1-9a-cef]|f0%[9ab][\da-f]|f[1-3]%[89ab][\da-f]|f4%8[\da-f])%[89ab])[\da-f])%[89ab][\da-f])+/gi

/** At the end of a path: white space, controls, and the dots of Windows. */
const DROPPED = /[\s.]|\p{Cc}/u

/** Nothing in these is spelled in more than one way: the common case needs no second form. */
const PLAIN = /^(?:\/[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*)+$/

/**
 * All forms of a URL's path: as sent, decoded once, dots resolved, slashes collapsed, backslashes as slashes, `;parameters` stripped, ended
 * by the first `;`, the host of `//host/path` swallowed, behind a host that holds `\`, `?` or `#`, and behind a scheme without a host. What has
 * too many for its length is `endless`. Linear in the length; never throws, a bad escape stays as it is.
 */
export function pathForms(url: string): PathForms {
  const { raw, others } = pathsOf(url)
  if (others.length === 0 && PLAIN.test(raw)) return { raw, folded: [raw], exact: [raw], endless: false }
  const paths = new Set([raw, ...others])
  // Where `;` begins the query, as in Fastify 4: it does so before anything is decoded.
  if (raw.includes(';')) paths.add(raw.slice(0, raw.indexOf(';')))
  // URL parsers drop white space at both ends, and what breaks a line anywhere.
  const clean = url.trim().replace(/[\t\n\r]/g, '')
  if (clean !== url)
    for (const found of [pathsOf(clean)]) for (const path of [found.raw, ...found.others]) paths.add(path)
  const most = 6 + ROOM / (url.length + 32)
  const forms = new Set<string>()
  for (const path of paths) if (forms.size <= most) spell(path, forms, most)
  if (forms.size > most) return { raw, exact: [raw], folded: [foldPath(raw)], endless: true }
  const exact = [...new Set(Array.from(forms, (form) => (form.startsWith('/') ? form : `/${form}`)))]
  return { raw, exact, folded: [...new Set(exact.map(foldPath))], endless: false }
}

/**
 * The forms of a request's path. What is only another name of it, or names the data of a page, counts where one form is enough, not where
 * every one must hold.
 */
export function requestForms({ url, names = [] }: Pick<GuardRequest, 'url' | 'names'>): PathForms {
  const forms = pathForms(url)
  // The common case is one plain spelling, and has nothing to add.
  if (forms.endless || (names.length === 0 && forms.folded.length === 1 && !DATA.test(forms.folded[0] ?? '')))
    return forms
  // As it is and decoded, no more: a name is what a router has made of the path, and all forms of ten names take ten times as long.
  const others = names.flatMap((name) => [name, decodeOnce(name)].map((each) => foldPath(pathFrom(each, 0))))
  const folded = [...forms.folded, ...others]
  return { ...forms, folded: folded.flatMap((form) => [form, foldPath(form.replace(DATA, '') || '/')]) }
}

/** Adds what all steps, and some of them, make of a path: decoded before them, as file servers do, after them, as who routes by a URL's path, or not. */
function spell(path: string, forms: Set<string>, most: number): void {
  const sent = takeSteps(path, most)
  for (const form of sent) forms.add(form)
  if (!path.includes('%') || forms.size > most) return
  for (const form of takeSteps(decodeOnce(path), most)) forms.add(form)
  for (const form of sent) {
    if (forms.size > most) return
    const decoded = decodeOnce(form)
    forms.add(decoded).add(cutTail(decoded))
  }
}

/** Ends with the step behind which there are more than these. */
function takeSteps(path: string, most: number): ReadonlySet<string> {
  const forms = new Set([path])
  for (const step of STEPS) for (const form of Array.from(forms)) if (forms.size <= most) forms.add(step(form))
  return forms
}

/** Lower case, no slash at the end. */
function foldPath(path: string): string {
  const folded = path.toLowerCase()
  let end = folded.length
  while (end > 1 && folded.charCodeAt(end - 1) === 47) end--
  return folded.slice(0, end)
}

/** The path as sent, and what else some parser of URLs finds. */
function pathsOf(url: string): { readonly raw: string; readonly others: readonly string[] } {
  if (url.charCodeAt(0) === 47) return { raw: pathFrom(url, 0), others: NONE }
  const start = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0].length ?? 0
  // Absolute form; a colon after a slash belongs to the path.
  const host = start > 0 && url.startsWith('//', start) ? start + 2 : url.length
  let end = host
  while (end < url.length && !'/?#\\'.includes(url.charAt(end))) end++
  if (end > host) {
    const raw = pathFrom(url, end)
    // A host that no URL can have, as a runtime puts it together with the `Host` header unseen: who looks for the next slash takes that for the path.
    const slash = url.indexOf('/', end)
    return { raw, others: slash <= end ? NONE : [pathFrom(url, slash)] }
  }
  // No host, as in `x:/path`, `http:///host/path`, `*/path`: a path with the scheme, without it, or behind a host, which may be put before all.
  const raw = pathFrom(url, 0)
  const rest = pathFrom(url, start)
  return { raw, others: [`/${raw}`, `/${rest}`, `//${rest}`] }
}

/** Up to the query or the fragment. */
function pathFrom(url: string, start: number): string {
  let end = start
  while (end < url.length && url.charCodeAt(end) !== 63 && url.charCodeAt(end) !== 35) end++
  const path = url.slice(start, end)
  return path === '' ? '/' : path
}

function fixBackslashes(path: string): string {
  return path.replaceAll('\\', '/')
}

function stripParameters(path: string): string {
  return path.includes(';') ? path.replace(/;[^/]*/g, '') : path
}

/** `//host/path` is a URL without a scheme, and `///host/path` too to parsers of the WHATWG's. */
function swallowHost(path: string): string {
  return path.replace(/^\/{2,}[^/]*/, '')
}

function collapseSlashes(path: string): string {
  return path.includes('//') ? path.replace(/\/{2,}/g, '/') : path
}

/** What a C string would end, and what some file systems and URL parsers drop. */
function cutTail(path: string): string {
  const nul = path.search(/%00|\0/)
  let end = nul < 0 ? path.length : nul
  while (end > 0 && DROPPED.test(path.charAt(end - 1))) end--
  return path.slice(0, end)
}

function decodeOnce(path: string): string {
  // At once where all are good: 10 times as fast. Otherwise only what is; never by trying, as an error costs 20 us.
  return path.replace(UTF8, '').includes('%') ? path.replace(UTF8, decodeURIComponent) : decodeURIComponent(path)
}

function resolveDots(path: string): string {
  if (!path.includes('%')) return resolvePlainDots(path)
  return resolvePlainDots(path.replace(/\/(?:\.|%2e){1,2}(?=\/|$)/gi, (dots) => dots.replace(/%2e/gi, '.')))
}

/** From the end, so that `..` is met before what it takes away; by characters, 5 times as fast as by parts. */
function resolvePlainDots(path: string): string {
  if (!path.includes('/.')) return path
  let kept = ''
  let end = path.length // of what is kept and not added yet
  let stop = end // of the part at `i`
  let up = 0
  for (let i = stop - 1; i >= 0; i--) {
    if (path.charCodeAt(i) !== 47) continue
    const length = stop - i - 1
    const isDots = path.charCodeAt(i + 1) === 46 && (length === 1 || (length === 2 && path.charCodeAt(i + 2) === 46))
    if (isDots || up > 0) {
      kept = isDots && stop === path.length ? '/' : path.slice(stop, end) + kept
      end = i
      up += isDots ? length - 1 : -1
    }
    stop = i
  }
  return path.slice(0, end) + kept
}
