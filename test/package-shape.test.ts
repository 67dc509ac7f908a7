import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { examplesOf, isChecked } from './markdown-examples.ts'
import { packages, read, workspaces } from './workspace.ts'

const readJson = (path: string): unknown => JSON.parse(read(path))

/** The folders that a tsconfig refers to, like `packages/core`. */
function references(path: string): readonly string[] {
  const config = readJson(path) as { readonly references?: readonly { readonly path: string }[] }
  return (config.references ?? []).map((reference) => `packages/${basename(reference.path)}`)
}

/** A value without the condition that leads to the sources: what publishConfig has to say. */
function withoutSource(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key]) => key !== '@ipguard/source')
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutSource(inner)]))
}

describe.each(packages)('$folder', ({ folder, manifest }) => {
  it('publishes the exports and imports it has here, without the sources', () => {
    const { publishConfig } = readJson(`${folder}/package.json`) as { readonly publishConfig: object }
    expect(publishConfig).toEqual({
      access: 'public',
      provenance: true,
      ...(manifest.imports && { imports: withoutSource(manifest.imports) }),
      exports: withoutSource(manifest.exports),
    })
  })

  it('says what every package says', () => {
    expect(readJson(`${folder}/package.json`)).toMatchObject({
      name: `@ipguard/${basename(folder)}`,
      description: expect.stringMatching(/\.$/),
      keywords: expect.arrayContaining(['ipguard']),
      license: 'MIT',
      homepage: `https://github.com/ipguard/ipguard/tree/main/${folder}#readme`,
      bugs: 'https://github.com/ipguard/ipguard/issues',
      repository: { type: 'git', url: 'git+https://github.com/ipguard/ipguard.git', directory: folder },
      type: 'module',
      sideEffects: false,
      engines: { node: '>=20.18.1' },
      files: ['dist'],
      scripts: { build: 'tsup' },
    })
  })

  it('is found by its keywords, each once', () => {
    const { keywords } = readJson(`${folder}/package.json`) as { readonly keywords: readonly string[] }
    expect(keywords.length).toBeGreaterThanOrEqual(3)
    expect(new Set(keywords).size).toBe(keywords.length)
  })

  it('has a README with its name, how it is installed and an example', () => {
    const text = read(`${folder}/README.md`)
    expect(text.split('\n', 1)).toEqual([`# ${manifest.name}`])
    const commands = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1])
    expect(commands.join('')).toMatch(new RegExp(`^npm install .*${manifest.name}\\b`, 'm'))
    expect(examplesOf(`${folder}/README.md`).filter(isChecked)).not.toEqual([])
  })

  it('has the version of all others', () => {
    const versionOf = (path: string): unknown => (readJson(`${path}/package.json`) as { version: unknown }).version
    expect(versionOf(folder)).toBe(versionOf('packages/core'))
  })

  it('is type-checked after the packages it depends on, and with the tests', () => {
    const needed = workspaces
      .filter((other) => Object.hasOwn({ ...manifest.dependencies, ...manifest.peerDependencies }, other.manifest.name))
      .map((other) => other.folder)
    expect(references(`${folder}/tsconfig.json`).toSorted()).toEqual(needed.toSorted())
    expect(references('tsconfig.json')).toContain(folder)
    expect(references('tsconfig.test.json')).toContain(folder)
  })

  it('has a budget for its size', () => {
    const budgets = readJson('.size-limit.json') as readonly { readonly path: string }[]
    expect(budgets.map(({ path }) => path)).toContainEqual(expect.stringContaining(`${folder}/dist/`))
  })
})

describe('what users are promised', () => {
  it('is the TypeScript and the Node that are tried', () => {
    const { devDependencies } = readJson('tools/package.json') as { readonly devDependencies: Record<string, string> }
    const [major, minor] = devDependencies['typescript-oldest']?.match(/\d+/g) ?? []
    const [node] = packages.map(
      ({ folder }) => (readJson(`${folder}/package.json`) as { engines: { node: string } }).engines.node,
    )
    expect(read('README.md')).toContain(
      `TypeScript ${major}.${minor} and later, ESM and CommonJS, Node ${node?.slice('>='.length)} and later.`,
    )
  })
})
