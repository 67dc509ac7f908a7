// Packs every public package and looks at the tarballs as users get them: `pnpm check:packages`, after `pnpm build`.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Manifest, packPackages, root, specifiers } from './tarballs/pack-packages.ts'

const problems: string[] = []
const work = mkdtempSync(join(tmpdir(), 'ipguard-packages-'))

try {
  const packages = await packPackages(work)
  for (const { folder, tarball, unpacked, manifest } of packages) {
    judge('publint', [tarball, '--strict'], manifest.name)
    judge('attw', [tarball, '--profile', 'node16', '--no-emoji'], manifest.name)
    linkDependencies(manifest, folder)
    checkFiles(unpacked, manifest)
  }
  for (const { manifest } of packages) checkLoads(manifest)
} finally {
  rmSync(work, { recursive: true, force: true })
}

for (const problem of problems) console.error(`✗ ${problem}`)
if (problems.length > 0) process.exit(1)

function checkFiles(folder: string, manifest: Manifest): void {
  const text = JSON.stringify(manifest)
  for (const word of ['@ipguard/source', 'workspace:', 'catalog:', './src/']) {
    if (text.includes(word)) problems.push(`${manifest.name}: the packed package.json has "${word}".`)
  }
  for (const file of ['LICENSE', 'README.md', ...targets(manifest.exports), ...targets(manifest.imports)]) {
    if (!existsSync(join(folder, file))) problems.push(`${manifest.name}: ${file} is not in the tarball.`)
  }
  for (const file of globSync('**/*.map', { cwd: folder })) {
    const map: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    const contents: unknown = Reflect.get(Object(map), 'sourcesContent')
    if (!Array.isArray(contents) || contents.includes(null)) problems.push(`${manifest.name}: ${file} has no sources.`)
  }
  for (const file of globSync('**/*.{js,cjs}', { cwd: folder })) {
    const url = /\/\/# sourceMappingURL=(\S+)/.exec(readFileSync(join(folder, file), 'utf8'))?.[1]
    if (url !== undefined && !existsSync(join(folder, file, '..', url))) {
      problems.push(`${manifest.name}: ${file} names the source map ${url}, which is not in the tarball.`)
    }
  }
}

/** Every file that `exports` or `imports` names. */
function targets(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(targets) : []
}

/** What comes from elsewhere is taken from the workspace; what is ours only from the tarballs. */
function linkDependencies(manifest: Manifest, folder: string): void {
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    const link = join(work, 'node_modules', name)
    if (name.startsWith('@ipguard/') || existsSync(link)) continue
    mkdirSync(join(link, '..'), { recursive: true })
    symlinkSync(join(folder, 'node_modules', name), link)
  }
}

/** Each entry loads by `import` and by `require`, with the same names. */
function checkLoads(manifest: Manifest): void {
  for (const name of specifiers(manifest)) {
    const specifier = JSON.stringify(name)
    const names = (load: string): string =>
      `console.log(Object.keys(${load}).filter((name) => name !== 'module.exports').sort().join(' '))`
    const esm = evaluate('module', names(`await import(${specifier})`), specifier)
    const cjs = evaluate('commonjs', names(`require(${specifier})`), specifier)
    if (esm !== cjs) problems.push(`${specifier} exports other names by import than by require:\n${esm}${cjs}`)
    console.log(`${specifier}: ${esm.split(/\s+/).filter(Boolean).length} names by import and by require`)
  }
}

function evaluate(type: 'commonjs' | 'module', code: string, specifier: string): string {
  const args = [`--input-type=${type}`, '--eval', code]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: work, encoding: 'utf8' })
  if (status !== 0) problems.push(`${specifier} does not load as ${type}:\n${stderr}`)
  return stdout
}

function judge(tool: string, args: readonly string[], name: string): void {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) problems.push(`${tool} on ${name}: ${error?.message ?? stdout + stderr}`)
}
