// Installs the packed packages by name into empty projects, with npm and with pnpm, and uses them there as users do:
// `pnpm check:tarballs`, after `pnpm build`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile, writeSources } from './tarballs/compile-consumer.ts'
import { createProject, everything, install, type Manager, readmeExamples } from './tarballs/consumer-project.ts'
import { loadEntries } from './tarballs/load-entries.ts'
import { packPackages, root, specifiers } from './tarballs/pack-packages.ts'
import { succeed } from './tarballs/run-command.ts'
import { runReadmeExample } from './tarballs/run-readme-example.ts'
import { startRegistry } from './tarballs/start-registry.ts'

// npm puts the peer beside it; pnpm wants to be told what the project itself imports.
const README_INSTALL: Readonly<Record<Manager, readonly string[]>> = {
  npm: ['install', '@ipguard/express'],
  pnpm: ['add', '@ipguard/express', 'express'],
}

const problems: string[] = []
const work = mkdtempSync(join(tmpdir(), 'ipguard-tarballs-'))
const packages = await packPackages(work)
const registry = await startRegistry(packages)
const began = Date.now()

try {
  const entries = packages.flatMap(({ manifest }) => specifiers(manifest))
  await Promise.all((['npm', 'pnpm'] as const).map((manager) => tryManager(manager, entries)))
  for (const name of registry.missing) problems.push(`@ipguard has no package ${name}, and one of ours wants it.`)
} finally {
  await registry.stop()
  rmSync(work, { recursive: true, force: true })
}

for (const problem of problems) console.error(`✗ ${problem}`)
if (problems.length > 0) process.exit(1)

async function tryManager(manager: Manager, entries: readonly string[]): Promise<void> {
  await check(`${manager} ${README_INSTALL[manager].join(' ')}, and the README's example as it stands`, () =>
    tryReadme(manager),
  )
  const folder = join(work, `${manager}-all`)
  createProject(folder, registry.url, everything(packages))
  writeSources(folder, packages)
  await check(`${manager} installs all ${packages.length} packages`, async () => {
    await install(manager, folder)
    return []
  })
  await check(`${manager}: ${entries.length} entries by import and by require`, () => loadEntries(folder, entries))
  // One of the two layouts is enough for the slow compiler: what it does not know, it knows in neither.
  for (const compiler of manager === 'npm' ? (['current'] as const) : (['current', 'oldest'] as const)) {
    await check(`${manager}: ${compiler} TypeScript, node16, nodenext and bundler`, () => compile(compiler, folder))
  }
}

/** The first example of the README of Express says: the socket's address, and 60 requests in 60 s. */
async function tryReadme(manager: Manager): Promise<readonly string[]> {
  const folder = join(work, `${manager}-readme`)
  createProject(folder, registry.url, {})
  await succeed(manager, README_INSTALL[manager], folder)
  const code = readmeExamples(join(root, 'packages/express'))[0] ?? ''
  const answers: string[] = []
  await runReadmeExample(folder, code, async (url) => {
    for (let request = 1; request <= 61; request++) {
      const response = await fetch(url, { headers: { 'x-forwarded-for': '203.0.113.7' } })
      answers.push(`${response.status} ${response.headers.get('ratelimit')} ${await response.text()}`)
    }
  })
  const [first = 'none', last = 'none'] = [answers[0], answers.at(-1)]
  const found: string[] = []
  if (!/^200 .+r=59.* Hello, 127\.0\.0\.1$/.test(first)) found.push(`the first answer is ${first}`)
  if (!last.startsWith('429 ')) found.push(`the 61st answer is ${last}`)
  return found
}

async function check(name: string, find: () => Promise<readonly string[]>): Promise<void> {
  const found = await find().catch((error: unknown) => [error instanceof Error ? error.message : String(error)])
  for (const problem of found) problems.push(`${name}: ${problem}`)
  const seconds = ((Date.now() - began) / 1000).toFixed(0)
  console.log(`${found.length === 0 ? '✓' : '✗'} ${name} (at ${seconds} s)`)
}
