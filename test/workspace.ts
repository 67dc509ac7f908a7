import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'

/** The checkout's root. */
export const root: string = resolve(import.meta.dirname, '..')

/** What these tests read of a package.json. */
export interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>
  /** Names that begin with `#`, for the package's own files. */
  readonly imports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export interface Workspace {
  /** From the root, like `packages/core`. */
  readonly folder: string
  readonly manifest: Manifest
}

/** Every workspace of the repository, the root left out. */
export const workspaces: readonly Workspace[] = globSync(
  ['packages/*', 'examples/*', 'bench', 'tools', 'test/runtimes'],
  {
    cwd: root,
  },
)
  .filter((folder) => readdirSync(join(root, folder)).includes('package.json'))
  .toSorted()
  // JSON of our own making, checked by pnpm.
  .map((folder) => ({ folder, manifest: JSON.parse(read(join(folder, 'package.json'))) as Manifest }))

export const packages: readonly Workspace[] = workspaces.filter(({ folder }) => folder.startsWith('packages/'))

/** Every entry of every package: the specifier that users write and its source from the root. */
export const entries: readonly { readonly specifier: string; readonly source: string }[] = packages.flatMap(
  ({ folder, manifest }) =>
    Object.entries(manifest.exports ?? {}).flatMap(([path, target]) => {
      const source = typeof target === 'object' ? target['@ipguard/source'] : undefined
      return typeof source === 'string' ? [{ specifier: join(manifest.name, path), source: join(folder, source) }] : []
    }),
)

/** The text of a file, its path given from the root. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** TypeScript files under a folder, tests left out, from the root. */
export function sources(folder: string): readonly string[] {
  return globSync('**/*.{ts,tsx,mts}', { cwd: join(root, folder), exclude: (name) => IGNORED.has(name) })
    .filter((path) => !path.endsWith('.test.ts'))
    .map((path) => join(folder, path))
    .toSorted()
}

const IGNORED: ReadonlySet<string> = new Set(['node_modules', 'dist', '.cache', '.next'])

/** Every module that a file names: imports, re-exports, `import()` and type-only ones. */
export function importsOf(path: string): readonly string[] {
  return importsOfText(read(path))
}

/** Every module that a TypeScript text names. */
export function importsOfText(text: string): readonly string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName)
}

/** `lru-cache` of `lru-cache/x`, `@ipguard/core` of `@ipguard/core/y`; undefined for a relative import. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/')) return undefined
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}
