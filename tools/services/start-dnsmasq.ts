import { findProgram } from './find-program.ts'
import { freePort } from './free-port.ts'
import { startProcess } from './start-process.ts'
import { tied } from './tied.ts'

export interface DnsmasqOptions {
  /** Names that it answers for: what is not below is not there. Of any other name it says that it is refused. */
  readonly zones: readonly string[]
  /** PTR records: the reverse name and what it points to; one name may have several. */
  readonly pointers: readonly (readonly [name: string, target: string])[]
  /** A and AAAA records. */
  readonly addresses: readonly (readonly [name: string, ip: string])[]
}

export interface Dnsmasq {
  readonly pid: number
  readonly port: number
  /** For `resolver.setServers`: `127.0.0.1:<port>`. */
  readonly address: string
  readonly output: () => string
  /** Stops it in the middle of whatever it does: questions stay unanswered. */
  readonly freeze: () => void
  readonly thaw: () => void
  readonly stop: () => Promise<void>
}

/**
 * A real dnsmasq on a free port of 127.0.0.1, without root and without a server behind it: a name server with PTR, A and AAAA records.
 *
 * @example
 * const names = await startDnsmasq({
 *   zones: ['2.0.192.in-addr.arpa', 'host.test'],
 *   pointers: [['1.2.0.192.in-addr.arpa', 'a.host.test']],
 *   addresses: [['a.host.test', '192.0.2.1']],
 * })
 * await names.stop()
 */
export async function startDnsmasq({ zones, pointers, addresses }: DnsmasqOptions): Promise<Dnsmasq> {
  const program = findProgram('dnsmasq')
  const records = [
    ...zones.map((zone) => `--local=/${zone}/`),
    ...pointers.map(([name, target]) => `--ptr-record=${name},${target}`),
    ...addresses.map(([name, ip]) => `--address=/${name}/${ip}`),
  ]
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const args = [
      '--keep-in-foreground',
      '--log-facility=-',
      '--conf-file=/dev/null',
      '--pid-file=',
      '--no-hosts',
      '--no-resolv',
      '--bind-interfaces',
      '--listen-address=127.0.0.1',
      `--port=${port}`,
      // As root it would become a user that may not be there.
      ...(process.getuid?.() === 0 ? ['--user=root', '--group=root'] : []),
      ...records,
    ]
    try {
      const server = await startProcess({ ...tied(program.path, args), env: program.env, port })
      return {
        pid: server.pid,
        port,
        address: `127.0.0.1:${port}`,
        output: server.output,
        freeze: () => void server.signal('SIGSTOP'),
        thaw: () => void server.signal('SIGCONT'),
        stop: server.stop,
      }
    } catch (error) {
      // Somebody else took the port in between.
      if (attempt === 3 || !/address already in use/i.test(String(error))) throw error
    }
  }
}
