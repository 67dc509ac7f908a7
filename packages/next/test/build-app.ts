import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { installNext } from './install-next.ts'
import { appFiles, type NextApp } from './next-app.ts'
import { once } from './once.ts'

export interface BuiltApp extends NextApp {
  /** Where it is: give it to `next({ dir })` and `next start`. */
  readonly folder: string
  /** Where its Next is installed. */
  readonly home: string
}

/** Builds an application with `next build`; one that has not changed since is taken as it is. */
export async function buildApp(app: NextApp): Promise<BuiltApp> {
  const home = await installNext(app.version)
  const folder = join(home, 'apps', [app.file, app.runtime, app.located ?? ''].join('-'))
  const files: Record<string, string> = {
    ...appFiles(app),
    'suite.mjs': await bundle(new URL('./app/index.ts', import.meta.url)),
    'suite-pages.mjs': await bundle(new URL('./app/suite-pages.ts', import.meta.url)),
    'suite-action.mjs': await bundle(new URL('./app/suite-action.ts', import.meta.url)),
    'peer.mjs': await bundle(new URL('../src/peer.ts', import.meta.url)),
  }
  const hash = createHash('sha256').update(JSON.stringify(files)).digest('hex')
  const marker = join(folder, 'built')
  const isBuilt = (): boolean => existsSync(marker) && readFileSync(marker, 'utf8') === hash
  await once(`${folder}.lock`, isBuilt, async () => {
    rmSync(folder, { recursive: true, force: true })
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    await run([join(home, 'node_modules/next/dist/bin/next'), 'build'], folder)
    writeFileSync(marker, hash)
  })
  return { ...app, folder, home }
}

/** The sources as one module, as a published package is: Next compiles no TypeScript of packages. */
async function bundle(entry: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['@ipguard/source'],
    external: ['node:*', 'next', 'next/*'],
  })
  return outputFiles[0]?.text ?? ''
}

function run(args: readonly string[], cwd: string): Promise<void> {
  const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' } as const
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-8_000)
    })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${args.join(' ')} in ${cwd} ended with ${code}:\n${output}`))
    })
  })
}
