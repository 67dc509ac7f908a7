import { Resolver } from 'node:dns/promises'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './find-program.ts'
import { freePort } from './free-port.ts'
import { type ServerLife, serverLife } from './server-life.ts'
import { startProcess } from './start-process.ts'
import { tied } from './tied.ts'

export interface RbldnsdOptions {
  /** The zones; several data sets with one name are one zone. */
  readonly zones: readonly {
    /** Such as `zen.test`. */
    readonly name: string
    readonly type: 'ip4set' | 'ip6trie' | 'generic'
    readonly data: string
  }[]
}

export interface Rbldnsd extends ServerLife {
  readonly port: number
  /** For `resolver.setServers`: `127.0.0.1:<port>`. */
  readonly address: string
}

/**
 * A real rbldnsd (a name server of block lists) on a free UDP port of 127.0.0.1, without root; its zones are in a temporary folder that goes
 * with it.
 *
 * @example
 * const lists = await startRbldnsd({ zones: [{ name: 'zen.test', type: 'ip4set', data: ':127.0.0.2:text $\n192.0.2.10\n' }] })
 * await lists.stop()
 */
export async function startRbldnsd(options: RbldnsdOptions): Promise<Rbldnsd> {
  const program = findProgram('rbldnsd')
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'ipguard-rbldnsd-'))
    const remove = (): void => rmSync(folder, { recursive: true, force: true })
    const port = await freePort()
    const zones = options.zones.map(({ name, type, data }, index) => {
      const file = `${index}.${type}`
      writeFileSync(join(folder, file), data)
      return `${name}:${type}:${file}`
    })
    // It refuses to run as root, and its own user need not exist: it runs as nobody, who has to read the folder.
    chmodSync(folder, 0o755)
    const user = process.getuid?.() === 0 ? ['-u', '65534:65534'] : []
    const args = ['-n', ...user, '-b', `127.0.0.1/${port}`, '-w', folder, ...zones]
    const start = () =>
      startProcess({
        ...tied(program.path, args),
        env: program.env,
        port,
        ready: () => answers(port, options.zones[0]?.name ?? ''),
      })
    try {
      return Object.assign(await serverLife(start, remove), { port, address: `127.0.0.1:${port}` })
    } catch (error) {
      remove()
      // Somebody else took the port in between.
      if (attempt === 3 || !String(error).includes('Address already in use')) throw error
    }
  }
}

/** Whether it answers for the zone, if only that there is no such name. */
async function answers(port: number, zone: string): Promise<boolean> {
  const resolver = new Resolver({ timeout: 250, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  try {
    await resolver.resolve4(zone)
    return true
  } catch (error) {
    const { code } = error as { readonly code?: string } // of node:dns
    return code === 'ENODATA' || code === 'ENOTFOUND'
  }
}
