import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { freePort, type RunningProcess, startProcess, waitUntil } from '@ipguard/tools'
import { build } from 'esbuild'

const ROOT = resolve(import.meta.dirname, '../../..')
const ENTRIES = ['index', 'peer', 'pages', 'action']

/**
 * Builds an example with `next build`, in a copy of its folder that has this checkout's `@ipguard/next` as users install it: bundled, with
 * types. Then starts it with `next start`.
 */
export async function startExample(name: string): Promise<RunningProcess> {
  const source = join(ROOT, 'examples', name)
  const folder = join(ROOT, '.cache/examples', name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'node_modules/@ipguard'), { recursive: true })
  for (const entry of readdirSync(source))
    if (!['node_modules', 'test', '.next'].includes(entry))
      cpSync(join(source, entry), join(folder, entry), { recursive: true })
  for (const entry of readdirSync(join(source, 'node_modules')))
    if (!entry.startsWith('.') && entry !== '@ipguard')
      symlinkSync(join(source, 'node_modules', entry), join(folder, 'node_modules', entry))
  await install(join(folder, 'node_modules/@ipguard/next'))
  const next = createRequire(join(source, 'package.json')).resolve('next/dist/bin/next')
  await run([next, 'build', folder])
  const port = await freePort()
  const env = { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' }
  const server = await startProcess({
    command: process.execPath,
    args: [next, 'start', folder, '-p', `${port}`],
    env,
    port,
  })
  // Next listens, and says that it is ready, before it has run instrumentation.ts: what comes until then is an error.
  await waitUntil('Next answers', async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 200)
  return server
}

async function install(folder: string): Promise<void> {
  await build({
    absWorkingDir: join(ROOT, 'packages/next'),
    entryPoints: ENTRIES.map((name) => `src/${name}.ts`),
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['@ipguard/source'],
    external: ['node:*', 'next/*'],
  })
  const exports: Record<string, string> = {}
  for (const name of ENTRIES) {
    exports[name === 'index' ? '.' : `./${name}`] = `./${name}.js`
    const types = relative(folder, join(ROOT, `packages/next/src/${name}.ts`))
    writeFileSync(join(folder, `${name}.d.ts`), `export * from '${types}'\n`)
  }
  if (!existsSync(join(folder, 'index.js'))) throw new Error('@ipguard/next was not bundled.')
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: '@ipguard/next', type: 'module', exports }))
}

function run(args: readonly string[]): Promise<void> {
  const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' } as const
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-8_000)
    })
  return new Promise((done, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) done()
      else reject(new Error(`node ${args.join(' ')} ended with ${code}:\n${output}`))
    })
  })
}
