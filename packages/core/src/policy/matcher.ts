import type { Client } from '../client-ip/client.ts'
import { invalidOption } from '../options.ts'
import type { GuardRequest } from '../request.ts'
import { type PathForms, pathForms } from './path-forms.ts'

/** What a matcher made by ipguard is asked: `strict` for a policy that allows, which must hold for every form of the path. */
export interface RequestMatcher {
  /** Whether the policy applies to the request. */
  test(request: GuardRequest, paths: PathForms, strict: boolean): boolean
}

/** Says which requests a policy applies to. */
export type Matcher<Facts = unknown> =
  | RequestMatcher
  | ((request: GuardRequest, client: Client | undefined, facts: Facts) => boolean)

/**
 * Requests to these paths. `'/a'` is exact; `'/a/*'` is `/a` and everything under it.
 *
 * A policy that denies or limits matches when any form of the path does (case, escapes, dots, slashes, parameters: what some router would
 * take for it); one that allows only when every form does.
 *
 * @example
 * rateLimit({ limit: 5, window: '15m', when: onPaths('/login', '/api/auth/*') })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID` when a pattern does not start with "/" or has a "*" elsewhere.
 */
export function onPaths(...patterns: readonly string[]): RequestMatcher {
  return pathMatcher(patterns, 'onPaths', false)
}

/** Requests to any path but these; patterns as in {@link onPaths}. A policy that denies spares a path only when every form of it is spared. */
export function exceptPaths(...patterns: readonly string[]): RequestMatcher {
  return pathMatcher(patterns, 'exceptPaths', true)
}

/** Requests with one of these methods. GET stands for HEAD too. */
export function onMethods(...methods: readonly string[]): RequestMatcher {
  if (methods.length === 0 || methods.some((method) => typeof method !== 'string' || !/^[A-Za-z-]+$/.test(method))) {
    throw invalidOption(
      'onMethods',
      methods.find((method) => typeof method !== 'string' || !/^[A-Za-z-]+$/.test(method)),
      "methods, like 'POST'",
    )
  }
  const known = new Set(methods.map((method) => method.toUpperCase()))
  if (known.has('GET')) known.add('HEAD')
  return { test: ({ method }) => known.has(method.toUpperCase()) }
}

function pathMatcher(patterns: readonly string[], owner: string, negated: boolean): RequestMatcher {
  if (patterns.length === 0) throw invalidOption(owner, 'nothing', "at least one path, like '/login'")
  const exact = new Set<string>()
  const exactFolded = new Set<string>()
  const under = new Set<string>()
  const underFolded = new Set<string>()
  for (const pattern of patterns) {
    const star = typeof pattern === 'string' && pattern.endsWith('/*')
    const path = star ? pattern.slice(0, -2) : pattern
    if (typeof path !== 'string' || !(path.startsWith('/') || (star && path === '')) || /[*?#]/.test(path)) {
      throw invalidOption(
        owner,
        pattern,
        "a path that starts with '/', optionally with '/*' at the end: '/login', '/admin/*'",
      )
    }
    if (/\/:|[{}]/.test(path))
      throw invalidOption(owner, pattern, "a path as it is: parameters are not patterns here, write '/users/*'")
    // Patterns are normalised as paths are, so '/Admin/' and '/%61dmin' mean what they say.
    for (const form of path === '' ? [''] : pathForms(path).folded) {
      exactFolded.add(form)
      if (star) underFolded.add(form === '/' ? '' : form)
    }
    for (const spelling of spellings(path)) {
      exact.add(spelling)
      if (star) under.add(spelling)
    }
  }
  const prefixes = { exact: [...under], folded: [...underFolded] }
  const folded = (form: string): boolean =>
    exactFolded.has(form) || prefixes.folded.some((prefix) => form.startsWith(`${prefix}/`))
  const literal = (form: string): boolean =>
    exact.has(form) || prefixes.exact.some((prefix) => form.startsWith(`${prefix}/`))
  return {
    test(_request, paths, strict) {
      if (paths.endless) return !strict
      // "Some form" for what refuses, "every form" for what allows; a negation turns the question round.
      if (strict === negated) return negated ? !paths.folded.some(folded) : paths.folded.some(folded)
      return negated ? !paths.exact.every(literal) : paths.exact.every(literal)
    },
  }
}

/** As typed, and as it is sent and decoded, where that changes nothing but the spelling. */
function spellings(path: string): readonly string[] {
  try {
    const decoded = decodeURI(path)
    return decoded.includes('%') ? [path] : [path, decoded, encodeURI(decoded)]
  } catch {
    return [path]
  }
}

/** Whether the policy applies. Throws what a matcher of the user's throws. */
export function matches<Facts>(
  when: Matcher<Facts> | readonly Matcher<Facts>[] | undefined,
  context: {
    readonly request: GuardRequest
    readonly client: Client | undefined
    readonly facts: Facts
    readonly paths: PathForms
  },
  strict: boolean,
): boolean {
  if (when === undefined) return true
  if (Array.isArray(when)) return when.every((each: Matcher<Facts>) => matches(each, context, strict))
  const matcher = when as Matcher<Facts> // Array.isArray does not narrow readonly arrays
  if (typeof matcher === 'function') return matcher(context.request, context.client, context.facts)
  return matcher.test(context.request, context.paths, strict)
}
