import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { entries, read, root } from './workspace.ts'

// One program for all entries: making it is the slow part.
const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) => ts.sys.readFile(path))
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
const program = ts.createProgram(
  entries.map(({ source }) => join(root, source)),
  { ...options, composite: false, noEmit: true, lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'], types: ['node'] },
)
const checker = program.getTypeChecker()

const KINDS: readonly (readonly [ts.SymbolFlags, string])[] = [
  [ts.SymbolFlags.Class, 'class'],
  [ts.SymbolFlags.Function, 'function'],
  [ts.SymbolFlags.Variable, 'const'],
  [ts.SymbolFlags.Enum, 'enum'],
  [ts.SymbolFlags.Interface, 'interface'],
  [ts.SymbolFlags.TypeAlias, 'type'],
  [ts.SymbolFlags.Namespace, 'namespace'],
]

function kindOf(symbol: ts.Symbol): string {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  return KINDS.find(([flag]) => target.flags & flag)?.[1] ?? 'unknown'
}

function symbolsOf(source: string): readonly ts.Symbol[] {
  const file = program.getSourceFile(join(root, source))
  const module = file && checker.getSymbolAtLocation(file)
  return module ? checker.getExportsOfModule(module) : []
}

function exportsOf(source: string): readonly string[] {
  return symbolsOf(source)
    .map((symbol) => `${symbol.name}: ${kindOf(symbol)}`)
    .toSorted()
}

function isDocumented(symbol: ts.Symbol): boolean {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  return target.getDocumentationComment(checker).length > 0
}

describe('what each entry exports', () => {
  it.each(entries)('$specifier', async ({ specifier, source }) => {
    const found = exportsOf(source)
    expect(found.filter((line) => line.endsWith(': unknown'))).toEqual([])
    expect(
      found.filter((line) => line.startsWith('default:')),
      'only named exports',
    ).toEqual([])
    // A change here is a change for users: it needs a changeset. `pnpm exec vitest run test/exports -u` accepts it.
    await expect(`${found.join('\n')}\n`).toMatchFileSnapshot(`exports/${specifier.replaceAll('/', '.')}.txt`)
  })

  it.each(entries)('$specifier has a docstring on every name', ({ source }) => {
    const silent = symbolsOf(source).filter((symbol) => !isDocumented(symbol))
    expect(silent.map(({ name }) => name)).toEqual([])
  })

  it.each(entries)('$specifier says every name: no "export *" of files of its own', ({ source }) => {
    expect(read(source)).not.toMatch(/export \* from '\./)
  })
})
