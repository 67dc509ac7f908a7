import { globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { type Example, examplesOf, isChecked } from './markdown-examples.ts'
import { entries, root } from './workspace.ts'

const pages = globSync(['README.md', 'packages/*/README.md', 'docs/**/*.md'], { cwd: root }).toSorted()
const examples = pages.flatMap(examplesOf)
const checked = examples.filter(isChecked)

/** Where an example stands that imports one of these, so that it is found as users find it. */
const FRAMEWORKS: readonly (readonly [imported: RegExp, folder: string])[] = [
  [/from '(?:koa|@koa\/router)'/, 'packages/koa'],
  [/from '(?:fastify|@fastify\/\w+)'/, 'packages/fastify'],
  [/from '(?:hono|@hono)[/']/, 'packages/hono'],
  [/from 'h3'/, 'packages/fetch'],
  [/from 'next[/']/, 'packages/next'],
]

/** Where all others stand: there are `express` and the types of Node. */
const FOLDER = join(root, 'examples/express')

/** What users of the Redis store install, and the tests of that package have. */
const CLIENTS = ['redis', 'ioredis']

function folderOf({ code }: Example): string {
  const folder = FRAMEWORKS.find(([imported]) => imported.test(code))?.[1]
  return folder === undefined ? FOLDER : join(root, folder)
}

/**
 * A block that names its file, as in ````ts ipguard.ts`, stands beside the others of its page, which import it by that name: where
 * `tools/pages` writes and runs them.
 */
function pathOf(example: Example, i: number): string {
  const { file, info } = example
  if (/^[\w-]+\.ts$/.test(info)) return join(root, 'tools/.cache/pages', basename(file, '.md'), info)
  return join(folderOf(example), `readme-example-${i}.ts`)
}

/** What the compiler says of every example, as `file:line: message`; compiled together, each a module of its own. */
function problems(all: readonly Example[]): string[] {
  const virtual = new Map(all.map((example, i) => [pathOf(example, i), example]))
  const folders = new Set([...virtual.keys()].map((path) => dirname(path)))
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, FOLDER)
  const settings: ts.CompilerOptions = {
    ...options,
    composite: false,
    declaration: false,
    emitDeclarationOnly: false,
    isolatedDeclarations: false,
    rewriteRelativeImportExtensions: false,
    noEmit: true,
    // An example shows a value that it does nothing with.
    noUnusedLocals: false,
    noUnusedParameters: false,
    rootDir: root,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: ['node'],
    paths: {
      ...Object.fromEntries(entries.map(({ specifier, source }) => [specifier, [join(root, source)]])),
      ...Object.fromEntries(CLIENTS.map((name) => [name, [join(root, 'packages/store-redis/node_modules', name)]])),
    },
  }
  const host = ts.createCompilerHost(settings)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => virtual.has(path) || fileExists(path)
  host.directoryExists = (path) => folders.has(path) || ts.sys.directoryExists(path)
  host.readFile = (path) => virtual.get(path)?.code ?? readFile(path)
  host.getSourceFile = (path, language, ...rest) => {
    const example = virtual.get(path)
    // A block that imports nothing is a module too: its names are its own.
    if (example) return ts.createSourceFile(path, `${example.code}\nexport {}\n`, language, true)
    return getSourceFile(path, language, ...rest)
  }
  const program = ts.createProgram([...virtual.keys()], settings, host)
  return [...virtual].flatMap(([path, { file, line }]) => {
    const source = program.getSourceFile(path)
    if (!source) return [`${file}:${line}: was not compiled`]
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start = 0, messageText }) =>
        `${file}:${line + 1 + source.getLineAndCharacterOfPosition(start).line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    )
  })
}

describe('TypeScript examples in Markdown', () => {
  it('are found in the README, in packages and in the docs', () => {
    for (const file of ['README.md', 'packages/core/README.md', 'docs/errors/IPGUARD_OPTION_UNKNOWN.md']) {
      expect(examples.map((example) => example.file)).toContain(file)
    }
  })

  it('type-check as they stand', () => {
    expect(problems(checked)).toEqual([])
  })

  it('are checked, unless they say why not', () => {
    const silent = examples.filter(({ info }) => info.startsWith('no-check') && info.length < 'no-check: why'.length)
    expect(silent.map(({ file, line }) => `${file}:${line}`)).toEqual([])
  })

  it('would fail with the file and the line', () => {
    const wrong = { file: 'x.md', line: 10, info: '', code: "import { allow } from '@ipguard/core'\nallow(1)\n" }
    expect(problems([wrong])).toEqual([expect.stringMatching(/^x\.md:12: Argument of type 'number'/)])
  })
})
