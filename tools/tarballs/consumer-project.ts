import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { examplesOf, isChecked } from '../../test/markdown-examples.ts'
import { importsOfText, packageOf } from '../../test/workspace.ts'
import { type PackedPackage, root } from './pack-packages.ts'
import { succeed } from './run-command.ts'

export type Manager = 'npm' | 'pnpm'

/** An empty project that finds `@ipguard` in the given registry and all else where this machine finds it. */
export function createProject(folder: string, registry: string, dependencies: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true })
  const manifest = { name: 'consumer', private: true, type: 'module', dependencies }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, '.npmrc'), `@ipguard:registry=${registry}\n`)
  // What pnpm remembers of a registry at this port is not true of the next run's.
  writeFileSync(join(folder, 'pnpm-workspace.yaml'), `packages: ['.']\ncacheDir: ${join(folder, '.pnpm-cache')}\n`)
}

/**
 * Installs what package.json says.
 *
 * Optional dependencies of others are left out: compilers and image libraries of Next, 200 MB that no check here runs.
 */
export async function install(manager: Manager, folder: string): Promise<void> {
  const options = { npm: ['--omit=optional'], pnpm: ['--no-optional', '--no-frozen-lockfile'] }
  await succeed(manager, ['install', ...options[manager]], folder)
}

/** Every package of ours, and what their users have beside them: peers and what the READMEs import, in the versions tested here. */
export function everything(packages: readonly PackedPackage[]): Readonly<Record<string, string>> {
  const dependencies: Record<string, string> = {}
  for (const { folder, manifest } of packages) {
    dependencies[manifest.name] = manifest.version
    const imported = readmeExamples(folder).flatMap((code) =>
      importsOfText(code).flatMap((name) => packageOf(name) ?? []),
    )
    const names = [...Object.keys(manifest.peerDependencies ?? {}), ...imported, '@types/node']
    for (const name of names.flatMap((found) => [found, `@types/${found}`])) {
      const version = name.startsWith('@ipguard/') ? undefined : versionBeside(folder, name)
      if (version !== undefined) dependencies[name] = version
    }
  }
  return dependencies
}

/** The TypeScript blocks of a package's README. */
export function readmeExamples(folder: string): readonly string[] {
  if (!existsSync(join(folder, 'README.md'))) return []
  return examplesOf(join(folder, 'README.md').slice(root.length + 1))
    .filter(isChecked)
    .map(({ code }) => code)
}

/** The version of a package that the workspace has installed for a folder, or for all of it. */
function versionBeside(folder: string, name: string): string | undefined {
  for (const modules of [join(folder, 'node_modules'), join(root, 'node_modules')]) {
    const path = join(modules, name, 'package.json')
    if (!existsSync(path)) continue
    const { version }: { readonly version: string } = JSON.parse(readFileSync(path, 'utf8')) as { version: string }
    return version
  }
  return undefined
}
