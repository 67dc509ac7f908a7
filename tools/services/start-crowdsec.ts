import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from './find-program.ts'
import { freePort } from './free-port.ts'
import { type ServerLife, serverLife } from './server-life.ts'
import { type RunningProcess, startProcess } from './start-process.ts'
import { tied } from './tied.ts'

export interface CrowdsecOptions {
  /** Keys of bouncers, by name. The position in the stream is kept per key: give each client under test its own. */
  readonly bouncers: Readonly<Record<string, string>>
}

/** Its data stay over `kill` and `restart`. */
export interface CrowdsecServer extends ServerLife {
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** A watcher that may push alerts and place decisions. */
  readonly machine: { readonly machineId: string; readonly password: string }
  /** Runs `cscli` against it and answers what that wrote, as JSON where it can: `['decisions', 'add', '--ip', '1.2.3.4']`. */
  readonly cscli: (args: readonly string[]) => Promise<string>
}

const MACHINE = { machineId: 'testwatcher', password: 'testpass' } as const

/**
 * A real CrowdSec Local API on a free port of 127.0.0.1, without root, agent or account: it never goes online. Everything is in a temporary
 * folder that goes with it.
 *
 * @example
 * const lapi = await startCrowdsec({ bouncers: { live: 'key-of-the-live-test' } })
 * await lapi.cscli(['decisions', 'add', '--ip', '1.2.3.4', '--duration', '1h'])
 * await lapi.stop()
 */
export async function startCrowdsec(options: CrowdsecOptions): Promise<CrowdsecServer> {
  const program = findProgram('crowdsec')
  const client = findProgram('cscli')
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'ipguard-crowdsec-'))
    const remove = (): void => rmSync(folder, { recursive: true, force: true })
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const config = writeConfig(folder, port)
    const cscli = async (args: readonly string[]): Promise<string> => {
      const env = { ...process.env, ...client.env }
      const { stdout } = await promisify(execFile)(client.path, ['-c', config, ...args], { env, timeout: 20_000 })
      return stdout
    }
    const start = (): Promise<RunningProcess> =>
      startProcess({
        ...tied(program.path, ['-c', config, '-no-cs']),
        env: program.env,
        port,
        ready: () => isUp(url),
        timeout: 20_000,
      })
    try {
      // Both write the database, and need no server.
      await cscli(['machines', 'add', MACHINE.machineId, '--password', MACHINE.password, '-u', url, '--force'])
      for (const [name, key] of Object.entries(options.bouncers)) await cscli(['bouncers', 'add', name, '-k', key])
      return Object.assign(await serverLife(start, remove), { port, url, machine: MACHINE, cscli })
    } catch (error) {
      remove()
      // Somebody else took the port in between.
      if (attempt === 3 || !String(error).includes('address already in use')) throw error
    }
  }
}

async function isUp(url: string): Promise<boolean> {
  try {
    const { ok } = await fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) })
    return ok
  } catch {
    return false
  }
}

/** Writes what the server needs; answers the path of its configuration. */
function writeConfig(folder: string, port: number): string {
  const put = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  mkdirSync(join(folder, 'data'))
  mkdirSync(join(folder, 'hub'))
  const index = put('hub/.index.json', '{}')
  const acquisition = put('acquis.yaml', '')
  const credentials = put('credentials.yaml', '')
  const simulation = put('simulation.yaml', 'simulation: false\n')
  // One profile has to be there: this one applies to nothing, so that an alert brings about the decisions it names and no other.
  const profiles = put('profiles.yaml', 'name: none\nfilters: ["false"]\non_success: break\n')
  return put(
    'config.yaml',
    `common: {daemonize: false, log_media: stdout, log_level: info, working_dir: ${folder}}
config_paths: {config_dir: ${folder}, data_dir: ${folder}/data, simulation_path: ${simulation}, hub_dir: ${folder}/hub, index_path: ${index}}
crowdsec_service: {acquisition_path: ${acquisition}}
cscli: {output: json}
db_config: {type: sqlite, db_path: ${folder}/data/crowdsec.db, log_level: info, use_wal: true}
api:
  client: {insecure_skip_verify: false, credentials_path: ${credentials}}
  server: {log_level: info, listen_uri: 127.0.0.1:${port}, profiles_path: ${profiles}, trusted_ips: [127.0.0.1]}
prometheus: {enabled: false}
`,
  )
}
