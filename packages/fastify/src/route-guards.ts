import { type Guard, invalidOption, type Policy } from '@ipguard/core'

/** More policies for one route; those of the plugin's guard come first. */
export interface RoutePolicies {
  // For policies about any facts: Fastify's routes do not know the plugin's.
  readonly policies: readonly Policy<never>[]
}

/**
 * Answers the guard of a route by its `config.ipguard`: the plugin's own, none for `false`, or one with more policies. That one is made once
 * for each object, which a GET route and the HEAD route that Fastify makes of it share.
 */
export function createRouteGuards<Facts>(guard: Guard<Facts>): (setting: unknown) => Guard<Facts> | undefined {
  const made = new WeakMap<object, Guard<Facts>>()
  return (setting) => {
    if (setting === undefined) return guard
    if (setting === false) return undefined
    if (typeof setting !== 'object' || setting === null)
      throw invalidOption("The route's config.ipguard", setting, 'false, or { policies: [...] }')
    const known = made.get(setting)
    if (known) return known
    const routeGuard = guard.with(setting as Parameters<typeof guard.with>[0]) // which checks it
    made.set(setting, routeGuard)
    return routeGuard
  }
}
