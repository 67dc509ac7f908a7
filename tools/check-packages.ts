// Packs every public package and looks at the tarballs as users get them: `pnpm check:packages`, after `pnpm build`.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** What is read of a packed package.json. */
interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly imports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const root = resolve(import.meta.dirname, '..')
const problems: string[] = []
const work = mkdtempSync(join(tmpdir(), 'ipguard-packages-'))
const scope = join(work, 'node_modules', '@ipguard')

try {
  const packages = readdirSync(join(root, 'packages')).toSorted()
  const manifests = packages.map(packAndUnpack)
  for (const [index, manifest] of manifests.entries()) {
    const name = packages[index] ?? ''
    linkDependencies(manifest, join(root, 'packages', name))
    checkFiles(name, manifest)
  }
  for (const manifest of manifests) checkLoads(manifest)
} finally {
  rmSync(work, { recursive: true, force: true })
}

for (const problem of problems) console.error(`✗ ${problem}`)
if (problems.length > 0) process.exit(1)

/** Packs one package, has the tarball judged, and unpacks it to where an import finds it. */
function packAndUnpack(name: string): Manifest {
  const out = join(work, name)
  run('pnpm', ['pack', '--pack-destination', out], join(root, 'packages', name))
  const tarball = globSync('*.tgz', { cwd: out })[0]
  if (tarball === undefined) throw new Error(`pnpm pack made no tarball of ${name}.`)
  judge('publint', [join(out, tarball), '--strict'], name)
  judge('attw', [join(out, tarball), '--profile', 'node16', '--no-emoji'], name)
  const folder = join(scope, name)
  mkdirSync(folder, { recursive: true })
  run('tar', ['-xzf', join(out, tarball), '--strip-components=1', '-C', folder], out)
  // Written by pnpm from a package.json of ours.
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

function checkFiles(name: string, manifest: Manifest): void {
  const folder = join(scope, name)
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
  for (const path of Object.keys(manifest.exports).filter((entry) => !entry.endsWith('.json'))) {
    const specifier = JSON.stringify(join(manifest.name, path))
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
  if (status !== 0) problems.push(`${tool} on @ipguard/${name}: ${error?.message ?? stdout + stderr}`)
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stdout + stderr}`)
}
