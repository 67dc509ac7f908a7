import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { importsOf, packageOf, packages, sources, workspaces } from './workspace.ts'

/**
 * The one direction of core: a file imports only from its own line or from an earlier one.
 * A name is a file of `packages/core/src` without `.ts`, or a folder when it ends with `/`. New ones go here.
 */
const CORE_LAYERS: readonly (readonly string[])[] = [
  ['errors', 'options', 'request', 'duration', 'clock'],
  ['ip/'],
  ['client-ip/'],
  // What may be reported stands in ladders, which stores see.
  ['reputation/report'],
  ['store/'],
  ['reputation/'],
  ['policy/'],
  ['crawler/'],
  ['report/'],
  ['reply/'],
  ['guard/', 'events', 'create-guard'],
  ['adapter/'],
  ['index'],
]

/** Packages that core may import. Everything else would be a framework, a vendor or a runtime. */
const CORE_MAY_IMPORT: ReadonlySet<string> = new Set()

/** The one direction of packages: a workspace depends only on those of earlier lines. The first match counts. */
const PACKAGE_LAYERS: readonly RegExp[] = [
  /^packages\/core$/,
  /^packages\/(store-[a-z-]+|providers|node|conformance)$/,
  /^packages\/fetch$/,
  /^packages\/[a-z-]+$/,
  /^(examples\/[a-z-]+|bench)$/,
  /^tools$/,
  /^test\/runtimes$/,
]

const CORE = 'packages/core/src'

function coreLayer(path: string): number {
  const name = relative(CORE, path).replace(/\.ts$/, '')
  return CORE_LAYERS.findIndex((layer) =>
    layer.some((part) => (part.endsWith('/') ? name.startsWith(part) : name === part)),
  )
}

const packageLayer = (folder: string): number => PACKAGE_LAYERS.findIndex((pattern) => pattern.test(folder))
const folderOf = (name: string): string | undefined => workspaces.find(({ manifest }) => manifest.name === name)?.folder

describe('core', () => {
  const files = sources(CORE)

  it('has a place for every file in the order of its layers', () => {
    expect(
      files.filter((file) => coreLayer(file) < 0),
      'add the file to CORE_LAYERS in this test',
    ).toEqual([])
  })

  it('imports only from the same layer or an earlier one', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => packageOf(specifier) === undefined)
        .map((specifier) => join(dirname(file), specifier))
        .filter((target) => coreLayer(target) > coreLayer(file))
        .map((target) => `${file} imports ${target}, which comes later`),
    )
    expect(wrong).toEqual([])
  })

  it('knows no runtime, framework or vendor', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => {
          const name = packageOf(specifier)
          return name !== undefined && !CORE_MAY_IMPORT.has(name)
        })
        .map((specifier) => `${file} imports ${specifier}`),
    )
    expect(wrong).toEqual([])
  })
})

describe('packages', () => {
  it('have a place in the order of layers', () => {
    expect(workspaces.filter(({ folder }) => packageLayer(folder) < 0)).toEqual([])
  })

  it.each(packages)('$folder depends only on packages of earlier layers', ({ folder, manifest }) => {
    const needed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
    const wrong = needed.filter((name) => {
      const target = folderOf(name)
      return target !== undefined && packageLayer(target) >= packageLayer(folder)
    })
    expect(wrong).toEqual([])
  })

  it.each(packages)('$folder imports only what it declares, and no file of a neighbour', ({ folder, manifest }) => {
    const declared = new Set(
      Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.imports }),
    )
    const wrong = sources(join(folder, 'src')).flatMap((file) =>
      importsOf(file)
        .filter((specifier) => {
          const name = packageOf(specifier)
          if (name === undefined) return !join(dirname(file), specifier).startsWith(`${folder}/src/`)
          return !name.startsWith('node:') && !declared.has(name)
        })
        .map((specifier) => `${file} imports ${specifier}`),
    )
    expect(wrong).toEqual([])
  })
})
