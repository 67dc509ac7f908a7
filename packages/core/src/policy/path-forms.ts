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
}

/** Paths longer than this are not taken apart in every combination. */
const LONG = 1024

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
const HARMLESS = STEPS.filter((step) => step !== stripParameters && step !== swallowHost)

/**
 * What stands behind a page's path where its scripts ask for its data, which runs the page's code: of SvelteKit, Nuxt, Qwik City, React Router
 * and Next.js, as their sources have it. Nuxt takes any character before `json`, and a hash.
 */
const DATA = /(?:__data\.json|\/_payload[^/]*|\/q-data\.json|(?:\/_\w*)?\.(?:data|rsc))$/

/** Nothing in these is spelled in more than one way: the common case needs no second form. */
const PLAIN = /^(?:\/[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*)+$/

/**
 * All forms of a URL's path: as sent, decoded once, dots resolved, slashes collapsed, backslashes as slashes, `;parameters` stripped, ended
 * by the first `;`, the host of `//host/path` swallowed, and behind a host that holds `\`, `?` or `#`. Linear in the length; never throws,
 * a bad escape stays as it is.
 */
export function pathForms(url: string): PathForms {
  const { raw, other } = pathsOf(url)
  if (other === undefined && PLAIN.test(raw)) return { raw, folded: [raw], exact: [raw] }
  const forms = new Set(spell(raw))
  if (other !== undefined) for (const form of spell(other)) forms.add(form)
  // Where `;` begins the query, as in Fastify 4: it does so before anything is decoded.
  const semicolon = raw.indexOf(';')
  if (semicolon >= 0) for (const form of spell(raw.slice(0, semicolon))) forms.add(form)
  const exact = [...new Set([...forms].map((form) => (form.startsWith('/') ? form : `/${form}`)))]
  return { raw, exact, folded: [...new Set(exact.map(foldPath))] }
}

/**
 * The forms of a request's path. What is only another name of it, or names the data of a page, counts where one form is enough, not where
 * every one must hold.
 */
export function requestForms({ url, names = [] }: Pick<GuardRequest, 'url' | 'names'>): PathForms {
  const forms = pathForms(url)
  // The common case is one plain spelling, and has nothing to add.
  if (names.length === 0 && forms.folded.length === 1 && !DATA.test(forms.folded[0] ?? '')) return forms
  // As it is and decoded, no more: a name is what a router has made of the path, and all forms of ten names take ten times as long.
  const others = names.flatMap((name) => [name, decodeOnce(name)].map((each) => foldPath(pathFrom(each, 0))))
  const folded = [...forms.folded, ...others]
  return { ...forms, folded: folded.flatMap((form) => [form, foldPath(form.replace(DATA, '') || '/')]) }
}

/** What all steps, and some of them, make of a path: decoded before them, as file servers do, after them, as who routes by a URL's path, or not. */
function spell(path: string): ReadonlySet<string> {
  const sent = takeSteps(path)
  if (!path.includes('%')) return sent
  const forms = new Set([...sent, ...takeSteps(decodeOnce(path))])
  for (const form of sent) {
    const decoded = decodeOnce(form)
    forms.add(decoded).add(cutTail(decoded))
  }
  return forms
}

function takeSteps(path: string): ReadonlySet<string> {
  const forms = new Set<string>([path])
  if (path.length <= LONG) for (const step of STEPS) addAll(forms, step)
  // Up to 2^8 forms of a path that is long on purpose cost up to 2^8 passes over it: there each step takes the result of the one before.
  else
    for (const steps of [STEPS, HARMLESS])
      for (const taken of [steps, withoutOne(steps, collapseSlashes), withoutOne(steps, resolvePlainDots)])
        taken.reduce((form, step) => remember(forms, step(form)), path)
  return forms
}

/** Without the first of these. */
function withoutOne<Step>(steps: readonly Step[], left: Step): readonly Step[] {
  const at = steps.indexOf(left)
  return steps.filter((_, i) => i !== at)
}

/** Lower case, no slash at the end. */
function foldPath(path: string): string {
  const folded = path.toLowerCase()
  let end = folded.length
  while (end > 1 && folded.charCodeAt(end - 1) === 47) end--
  return folded.slice(0, end)
}

function pathsOf(url: string): { readonly raw: string; readonly other?: string } {
  // Absolute form; a colon after a slash belongs to the path.
  const scheme = url.charCodeAt(0) === 47 ? null : /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)
  if (!scheme) return { raw: pathFrom(url, 0) }
  let start = scheme[0].length
  while (start < url.length && !'/?#\\'.includes(url.charAt(start))) start++
  const raw = pathFrom(url, start)
  // A host that no URL can have, as a runtime puts it together with the `Host` header unseen: who looks for the next slash takes that for the path.
  const slash = url.indexOf('/', start)
  return slash <= start ? { raw } : { raw, other: pathFrom(url, slash) }
}

/** Up to the query or the fragment. */
function pathFrom(url: string, start: number): string {
  let end = start
  while (end < url.length && url.charCodeAt(end) !== 63 && url.charCodeAt(end) !== 35) end++
  const path = url.slice(start, end)
  return path === '' ? '/' : path
}

/** The step's result for each form that was there before it. */
function addAll(forms: Set<string>, step: (path: string) => string): void {
  const before = [...forms]
  for (const form of before) forms.add(step(form))
}

function remember(forms: Set<string>, form: string): string {
  forms.add(form)
  return form
}

function fixBackslashes(path: string): string {
  return path.replaceAll('\\', '/')
}

function stripParameters(path: string): string {
  return path.replace(/;[^/]*/g, '')
}

/** `//host/path` is a URL without a scheme, and `///host/path` too to parsers of the WHATWG's. */
function swallowHost(path: string): string {
  return path.replace(/^\/{2,}[^/]*/, '')
}

function collapseSlashes(path: string): string {
  return path.replace(/\/{2,}/g, '/')
}

/** What a C string would end, and what some file systems drop. */
function cutTail(path: string): string {
  const nul = path.search(/%00|\0/)
  let end = nul < 0 ? path.length : nul
  while (end > 0 && (path.charCodeAt(end - 1) === 46 || path.charCodeAt(end - 1) === 32)) end--
  return path.slice(0, end)
}

function decodeOnce(path: string): string {
  // Runs of escapes, so that one bad escape leaves the others decoded.
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes)
    } catch {
      return escapes.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    }
  })
}

function resolveDots(path: string): string {
  return resolvePlainDots(path.replace(/(?<=\/)(?:\.|%2e){1,2}(?=\/|$)/gi, (dots) => dots.replace(/%2e/gi, '.')))
}

function resolvePlainDots(path: string): string {
  const out: string[] = []
  const parts = path.split('/')
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? ''
    if (part === '..') {
      if (out.length > 1) out.pop()
    } else if (part !== '.') {
      out.push(part)
      continue
    }
    if (i === parts.length - 1) out.push('')
  }
  return out.join('/')
}
