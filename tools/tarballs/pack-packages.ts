import { globSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { succeed } from './run-command.ts'

/** What is read of a packed package.json. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly imports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

export interface PackedPackage {
  /** Of the sources. */
  readonly folder: string
  readonly tarball: string
  /** The tarball's content. */
  readonly unpacked: string
  readonly manifest: Manifest
}

/** The checkout's root. */
export const root: string = resolve(import.meta.dirname, '../..')

/** Packs every public package as `pnpm publish` would, each into a folder of its own under `work`, and unpacks it to `work/node_modules`. */
export function packPackages(work: string): Promise<readonly PackedPackage[]> {
  return Promise.all(
    readdirSync(join(root, 'packages'))
      .toSorted()
      .map((name) => packPackage(name, work)),
  )
}

async function packPackage(name: string, work: string): Promise<PackedPackage> {
  const folder = join(root, 'packages', name)
  const out = join(work, name)
  await succeed('pnpm', ['pack', '--pack-destination', out], folder)
  const file = globSync('*.tgz', { cwd: out })[0]
  if (file === undefined) throw new Error(`pnpm pack made no tarball of ${name}.`)
  const tarball = join(out, file)
  const unpacked = join(work, 'node_modules/@ipguard', name)
  mkdirSync(unpacked, { recursive: true })
  await succeed('tar', ['-xzf', tarball, '--strip-components=1', '-C', unpacked], out)
  // Written by pnpm from a package.json of ours.
  const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as Manifest
  return { folder, tarball, unpacked, manifest }
}

/** What users write to import each entry of a package. */
export function specifiers({ name, exports }: Manifest): readonly string[] {
  return Object.keys(exports)
    .filter((entry) => !entry.endsWith('.json'))
    .map((entry) => join(name, entry))
}
