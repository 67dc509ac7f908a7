import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readmeExamples } from './consumer-project.ts'
import { type PackedPackage, root, specifiers } from './pack-packages.ts'
import { runCommand } from './run-command.ts'

/** A compiler of the workspace, as the path of its program. */
export const compilers: Readonly<Record<'current' | 'oldest', string>> = {
  current: join(root, 'node_modules/typescript7/bin/tsc'),
  // Named in the README as the oldest that is supported.
  oldest: join(root, 'tools/node_modules/typescript-oldest/bin/tsc'),
}

/** Next has no `exports`, so its own applications resolve as bundlers do, and `next/server` is found in no other way. */
const BUNDLED = '@ipguard/next'

const SETTINGS = { node16: 'node16', nodenext: 'nodenext', bundler: 'esnext' } as const

/** Writes what the compilers read: every entry by `import` and by `import = require`, and the examples of the READMEs. */
export function writeSources(folder: string, packages: readonly PackedPackage[]): void {
  const entries = packages.flatMap(({ manifest }) => specifiers(manifest))
  const used = `export const all: readonly object[] = [${entries.map((_, i) => `e${i}`).join(', ')}]\n`
  const write = (name: string, text: string, under = 'src'): void => writeFileSync(join(folder, under, name), text)
  for (const under of ['src', 'bundled']) mkdirSync(join(folder, under))
  write('esm.mts', entries.map((name, i) => `import * as e${i} from '${name}'\n`).join('') + used)
  write('cjs.cts', entries.map((name, i) => `import e${i} = require('${name}')\n`).join('') + used)
  for (const { folder: source, manifest } of packages) {
    for (const [i, code] of readmeExamples(source).entries()) {
      const under = manifest.name === BUNDLED ? 'bundled' : 'src'
      write(`${manifest.name.slice('@ipguard/'.length)}-${i}.mts`, `${code}\nexport {}\n`, under)
    }
  }
  for (const [moduleResolution, module] of Object.entries(SETTINGS)) {
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2022', 'dom', 'dom.iterable'],
      module,
      moduleResolution,
      strict: true,
      exactOptionalPropertyTypes: true,
      // Or our own declarations are not looked at.
      skipLibCheck: false,
      skipDefaultLibCheck: true,
      noEmit: true,
      types: ['node'],
    }
    // Only the settings of Node know CommonJS files.
    const include = moduleResolution === 'bundler' ? ['src/*.mts', 'bundled'] : ['src']
    writeFileSync(join(folder, `tsconfig.${moduleResolution}.json`), JSON.stringify({ compilerOptions, include }))
  }
}

/** What one compiler says about the sources and about our declarations, under each module setting. Others' declarations are theirs. */
export async function compile(compiler: keyof typeof compilers, folder: string): Promise<readonly string[]> {
  const problems: string[] = []
  for (const setting of Object.keys(SETTINGS)) {
    const args = [compilers[compiler], '--pretty', 'false', '-p', `tsconfig.${setting}.json`]
    const { status, output } = await runCommand(process.execPath, args, folder)
    const errors = output.split('\n').filter((line) => /error TS\d+/.test(line))
    if (status !== 0 && errors.length === 0) problems.push(`${compiler}, ${setting}: ended with ${status}: ${output}`)
    for (const line of errors.filter(isOurs)) problems.push(`${compiler}, ${setting}: ${line}`)
  }
  return problems
}

/** A message without a file is about the settings, so about this tool. */
function isOurs(line: string): boolean {
  return !line.includes('node_modules/') || /node_modules\/@ipguard\/[^/]+\/dist\//.test(line)
}
