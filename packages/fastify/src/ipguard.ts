import { type Guard, type GuardOptions, guardFrom, invalidOption, warningsOf } from '@ipguard/core'
import { warnProcess } from '@ipguard/node'
import { memoryStore } from '@ipguard/store-memory'
import type { FastifyInstance } from 'fastify'
import { createPlugin, type FastifyAdapterOptions, type IpGuardPlugin, PLUGIN_META } from './guard-plugin.ts'

/** All options in one object: those of `createGuard`, or a `guard`, and those of the adapter. */
// `register` cannot tell what facts are: that they fit the policies is checked by the types of `ipguard(options, { facts })`.
export type FastifyIpGuardOptions = FastifyAdapterOptions & (GuardOptions<never> | { readonly guard: Guard<never> })

type Done = (error?: Error) => void

/**
 * Guards a Fastify application, or one context of it: refused requests are answered before their body is parsed, the others go on with
 * `request.ipguard`. The guard is for the instance that it is registered on and all beneath; 404s of a
 * context are guarded only where it has its own `setNotFoundHandler`.
 *
 * Takes the options of `createGuard`, with `memoryStore()` and process warnings as defaults, or a guard. Registered twice, it counts once.
 * `trustProxy` is not read: the client is the socket's address unless `clientIp` says otherwise. An error in `facts` goes to the error
 * handler. Routes say `config: { ipguard: false }` or `config: { ipguard: { policies } }`.
 *
 * @example
 * await app.register(ipguard({ policies: [deny(['198.51.100.0/24']), rateLimit({ limit: 60, window: '60s' })] }))
 * @throws {IpGuardError} as `createGuard` does, and `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID` for the adapter's options
 */
export function ipguard<Facts = unknown>(
  optionsOrGuard: GuardOptions<Facts> | Guard<Facts>,
  adapterOptions?: FastifyAdapterOptions<Facts>,
): IpGuardPlugin<Facts>
/**
 * The same as a plugin that takes its options from `register`, all in one object; `guard` stands there for a guard.
 *
 * @example
 * await app.register(ipguard, { policies: [rateLimit({ limit: 60, window: '60s' })], headers: false })
 */
export function ipguard(instance: FastifyInstance, options: FastifyIpGuardOptions, done: Done): void
export function ipguard<Facts>(
  first: GuardOptions<Facts> | Guard<Facts> | FastifyInstance,
  // No default: Fastify counts the parameters, and calls `done` itself where it finds fewer than three.
  second?: FastifyAdapterOptions<Facts> | FastifyIpGuardOptions,
  done?: Done,
): IpGuardPlugin<Facts> | undefined {
  // Nobody but Fastify gives three: the overloads say so.
  if (typeof done !== 'function') {
    return pluginFrom(first as GuardOptions<Facts> | Guard<Facts>, (second ?? {}) as FastifyAdapterOptions<Facts>)
  }
  try {
    const [given, adapterOptions] = split(second as FastifyIpGuardOptions)
    pluginFrom(given, adapterOptions)(first as FastifyInstance, {}, done)
  } catch (error) {
    done(error as Error) // one that is thrown would end the process
  }
  return undefined
}
Object.assign(ipguard, PLUGIN_META)

function pluginFrom<Facts>(
  given: GuardOptions<Facts> | Guard<Facts>,
  adapterOptions: FastifyAdapterOptions<Facts>,
): IpGuardPlugin<Facts> {
  const guard = guardFrom(given, { createStore: memoryStore, onWarning: warnProcess })
  return createPlugin(guard, adapterOptions, warningsOf(given, warnProcess))
}

/** Each part is checked where it goes. */
function split(options: FastifyIpGuardOptions): readonly [GuardOptions | Guard, FastifyAdapterOptions] {
  const { facts, headers, exposeHeaders, ...rest } = options
  const adapterOptions = {
    ...(facts !== undefined && { facts }),
    ...(headers !== undefined && { headers }),
    ...(exposeHeaders !== undefined && { exposeHeaders }),
  }
  if (!('guard' in rest)) return [rest as GuardOptions, adapterOptions]
  const { guard, ...more } = rest
  if (typeof guard !== 'object' || guard === null || !('check' in guard))
    throw invalidOption('ipguard.guard', guard, 'a guard, as createGuard({ ... }) makes it')
  return [guard as Guard, { ...adapterOptions, ...more }]
}
