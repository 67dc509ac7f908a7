import { fileURLToPath } from 'node:url'
import { freePort, type RunningProcess, startNginx, startProcess } from '@ipguard/tools'
import { nginxSite } from './nginx-site.ts'

/** One process of the application. */
export interface SiteProcess {
  readonly pid: number
  /** `http://127.0.0.1:<port>`, where operators ban and unban. */
  readonly adminUrl: string
  /** What it has written so far. */
  readonly output: () => string
}

export interface Site {
  /** nginx, in front of all processes. */
  readonly url: string
  readonly processes: readonly SiteProcess[]
  readonly stop: () => Promise<void>
}

const PROCESSES = 2
const APP = fileURLToPath(new URL('app.ts', import.meta.url))

/** The application as two processes behind nginx, all on this machine. Answers when every one of them accepts connections. */
export async function startSite(redisUrl: string): Promise<Site> {
  const begun: { readonly stop: () => Promise<void> }[] = []
  const stop = async (): Promise<void> => {
    // nginx first, which has nobody to ask then.
    for (const each of begun.toReversed()) await each.stop()
  }
  try {
    const processes: (SiteProcess & { readonly port: number })[] = []
    for (let i = 0; i < PROCESSES; i++) {
      const adminPort = await freePort()
      const running = await startApp(redisUrl, adminPort)
      begun.push(running)
      const { pid, port: own, output } = running
      processes.push({ pid, port: own, output, adminUrl: `http://127.0.0.1:${adminPort}` })
    }
    const upstreams = processes.map((each) => each.port)
    const nginx = await startNginx({ config: ({ port }) => nginxSite({ port, upstreams }) })
    begun.push(nginx)
    return { url: nginx.url, processes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startApp(redisUrl: string, adminPort: number): Promise<RunningProcess> {
  const port = await freePort()
  return startProcess({
    command: process.execPath,
    args: ['--conditions=@ipguard/source', APP],
    env: { REDIS_URL: redisUrl, PORT: String(port), ADMIN_PORT: String(adminPort) },
    port,
  })
}
