import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorker } from '@ipguard/tools/runtimes'
import { build } from 'esbuild'

export interface Site {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Puts the Worker into one file, as wrangler does, and runs it on workerd, the runtime of Cloudflare Workers, on this machine. */
export async function startSite(denied: string): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'ipguard-worker-'))
  const outfile = join(folder, 'worker.mjs')
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    await build({
      entryPoints: [join(import.meta.dirname, 'worker.ts')],
      outfile,
      bundle: true,
      format: 'esm',
      // Wrangler's own. There is no module of Node in it: the build would fail.
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['@ipguard/source', 'workerd', 'worker'],
      logLevel: 'error',
    })
    const { port, stop } = await startWorker(outfile, { DENIED: denied })
    return { url: `http://127.0.0.1:${port}`, stop: () => stop().finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}
