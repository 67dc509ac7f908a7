// Run by import-effects.test.ts: imports the module of argv, after every source of timers and randomness is watched,
// and prints one line per use. No static import of a package here: it would come before the watch.
import nodeCrypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import nodeTimers from 'node:timers'
import nodeTimersPromises from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

const used: string[] = []
const [path = '', step = 'import'] = process.argv.slice(2)

function watch(owner: object, label: string, names: readonly string[]): void {
  for (const name of names) {
    const original: unknown = Reflect.get(owner, name)
    if (typeof original !== 'function') throw new Error(`${label}${name} is not a function here.`)
    const watched = function (this: unknown, ...args: unknown[]): unknown {
      const stack = new Error().stack?.split('\n') ?? []
      const caller = stack.find((line) => line.includes('file://') && !line.includes('.child.ts'))
      used.push(`${label}${name} ${caller?.trim() ?? ''}`)
      return Reflect.apply(original, this, args)
    }
    if (!Reflect.defineProperty(owner, name, { value: watched, configurable: true, writable: true })) {
      throw new Error(`${label}${name} cannot be watched.`)
    }
  }
}

const timers = ['setTimeout', 'setInterval', 'setImmediate']
watch(globalThis, '', timers)
watch(Math, 'Math.', ['random'])
watch(Crypto.prototype, 'crypto.', ['getRandomValues', 'randomUUID'])
watch(nodeTimers, 'node:timers.', timers)
watch(nodeTimersPromises, 'node:timers/promises.', timers)
watch(nodeCrypto, 'node:crypto.', ['randomBytes', 'randomInt', 'randomUUID', 'randomFillSync'])
syncBuiltinESMExports()

const module: unknown = await import(pathToFileURL(path).href)
if (step === 'create') {
  const createGuard: unknown = Reflect.get(Object(module), 'createGuard')
  const deny: unknown = Reflect.get(Object(module), 'deny')
  const reputation: unknown = Reflect.get(Object(module), 'reputation')
  if (typeof createGuard !== 'function' || typeof deny !== 'function' || typeof reputation !== 'function') {
    throw new Error('@ipguard/core exports no createGuard, deny or reputation: this check needs all three.')
  }
  const source = { name: 'source', lookup: () => undefined, quota: { perDay: 500 } }
  createGuard({ policies: [deny(['192.0.2.0/24']), reputation({ providers: [source] })] })
}

process.stdout.write(used.map((line) => `${line}\n`).join(''))
process.exit(0)
