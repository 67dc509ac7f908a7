import { freePort, startProcess } from '@ipguard/tools'
import { findRuntime, type RuntimeName, startWorker } from '@ipguard/tools/runtimes'

/** One of `programs`. */
export interface Program {
  readonly file: string
  /** What its bundle may import: modules of Node and what is installed, or nothing. */
  readonly platform: 'any' | 'node'
}

/** One runtime, and what is run on it. */
export interface TestedRuntime {
  readonly name: RuntimeName
  /** Whether it tells whose connection a request came over. */
  readonly peer: boolean
  /** Whether WebSockets go through its handlers. On Node they are events of the server, which the adapters' suite tries. */
  readonly webSockets: boolean
  /** Listens on the port that it is given. */
  readonly site: Program
  /** Runs the adapters' suite in the runtime itself, against servers of the runtime, and prints what came of it. */
  readonly suites?: Program
  /** What stands before the file on its command line. */
  readonly args: readonly string[]
  readonly startSite: (file: string) => Promise<{ readonly port: number; readonly stop: () => Promise<void> }>
}

const DENO = ['run', '--allow-net', '--allow-env', '--allow-sys', '--allow-read']

export const runtimes: readonly TestedRuntime[] = [
  ...(['node-20', 'node-22', 'node-24', 'node-26'] as const).map((name) =>
    withArguments(name, [], {
      site: { file: 'site-node.ts', platform: 'node' },
      suites: { file: 'suites-node.ts', platform: 'node' },
    }),
  ),
  withArguments('bun', [], {
    site: { file: 'site-bun.ts', platform: 'node' },
    suites: { file: 'suites-bun.ts', platform: 'node' },
  }),
  withArguments('deno', DENO, {
    site: { file: 'site-deno.ts', platform: 'node' },
    suites: { file: 'suites-deno.ts', platform: 'node' },
  }),
  {
    name: 'workerd',
    peer: false,
    webSockets: true,
    site: { file: 'site-workerd.ts', platform: 'any' },
    args: [],
    startSite: (file) => startWorker(file),
  },
]

/** A runtime whose programs are given arguments. */
function withArguments(
  name: RuntimeName,
  args: readonly string[],
  programs: Pick<TestedRuntime, 'site' | 'suites'>,
): TestedRuntime {
  return {
    ...programs,
    name,
    args,
    peer: true,
    webSockets: !name.startsWith('node'),
    async startSite(file) {
      const { path } = await findRuntime(name)
      const port = await freePort()
      return startProcess({ command: path, args: [...args, file, String(port)], port })
    },
  }
}
