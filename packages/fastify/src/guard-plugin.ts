import {
  type AdapterAnswer,
  type AdapterOptions,
  checkAdapterOptions,
  describe,
  type Finding,
  type Guard,
  IpGuardError,
  isPromise,
  type RequestHandle,
} from '@ipguard/core'
import { askGuard, observeTrust } from '@ipguard/node'
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { createRouteGuards, type RoutePolicies } from './route-guards.ts'
import { sendRefusal, setReplyHeaders } from './send-refusal.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The decision on this request, and what a handler can do about it. Undefined on routes with `config: { ipguard: false }`. */
    ipguard: RequestHandle
  }
  interface FastifyContextConfig {
    /** `false`: this route is not guarded. An object: its policies come after those of the plugin. @default guarded as all others */
    ipguard?: false | RoutePolicies
  }
}

/** What the Fastify plugin takes beside the guard; `facts` reads its request. */
export type FastifyAdapterOptions<Facts = unknown> = AdapterOptions<FastifyRequest, Facts>

/** The plugin; `guard` is for `ban`, `status` and the like. */
export type IpGuardPlugin<Facts = unknown> = FastifyPluginCallback & { readonly guard: Guard<Facts> }

/** What Fastify reads of a plugin: that it is for the instance it is registered on, not for one beneath; its name; and what it needs. */
export const PLUGIN_META: Readonly<Record<symbol, unknown>> = {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@ipguard/fastify',
  // Before it, a request did not give its route's config.
  [Symbol.for('plugin-meta')]: { name: '@ipguard/fastify', fastify: '>=4.24.0' },
}

/** @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID` */
export function createPlugin<Facts>(
  guard: Guard<Facts>,
  options: FastifyAdapterOptions<Facts>,
  onWarning: (warning: Finding) => void,
): IpGuardPlugin<Facts> {
  checkAdapterOptions(options, 'ipguard')
  const guardOf = createRouteGuards(guard)
  const observe = observeTrust<FastifyRequest>({
    onWarning,
    setting: "Fastify's trustProxy",
    example: "fastify({ trustProxy: ['10.0.0.5/32'] })",
    clientOf: (request) => request.ips?.at(-1), // there only with trustProxy, and then the last is `request.ip`
  })

  /** Whether the request may go on. */
  function settle(request: FastifyRequest, reply: FastifyReply, { handle, refusal, headers }: AdapterAnswer): boolean {
    request.ipguard = handle
    observe(request, handle.decision)
    if (refusal) sendRefusal(reply, refusal)
    else setReplyHeaders(reply, headers)
    return refusal === undefined
  }

  function onRequest(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
    const routeGuard = guardOf(request.routeOptions.config.ipguard)
    if (!routeGuard) {
      done()
      return
    }
    // Fastify's own routes know only what `rewriteUrl` has made of the URL, and rules about paths speak of these routes.
    const answer = askGuard(routeGuard, request.raw, request, options, request.raw.url)
    if (isPromise(answer)) {
      answer.then((late) => settle(request, reply, late)).then((passed) => void (passed && done()), done)
    } else if (settle(request, reply, answer)) done()
  }

  function plugin(instance: FastifyInstance, given: object, done: (error?: Error) => void): void {
    const [unknown] = Object.keys(given)
    if (unknown !== undefined) {
      done(misplaced(unknown)) // one that is thrown would end the process
      return
    }
    if (!instance.hasRequestDecorator('ipguard')) instance.decorateRequest('ipguard')
    instance.addHook('onRoute', ({ config }) => void guardOf(config?.ipguard))
    instance.addHook('onRequest', onRequest)
    done()
  }
  return Object.assign(plugin, PLUGIN_META, { guard })
}

function misplaced(key: string): IpGuardError {
  return new IpGuardError(
    'IPGUARD_OPTION_UNKNOWN',
    `register(ipguard({ ... }), options) takes no options, and was given ${describe(key)}. Write register(ipguard({ ... }, options)), or register(ipguard, options) with all of them.`,
  )
}
