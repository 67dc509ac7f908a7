import { defineConfig } from 'tsup'

/**
 * How every package is built: ESM, CJS and types of both, for Node 20 and everything that speaks ES2022.
 *
 * No source maps: the output is not minified, and a map without its sources only makes tools complain.
 */
export function build(
  entry: Readonly<Record<string, string>>,
  external: readonly string[] = [],
): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry: { ...entry },
    format: ['esm', 'cjs'],
    target: ['es2022', 'node20'],
    platform: 'neutral',
    // The declarations are made from one program over the sources; `composite` would demand that every file is listed.
    dts: { compilerOptions: { composite: false, allowImportingTsExtensions: true } },
    sourcemap: false,
    clean: true,
    treeshake: true,
    // Deno knows built-in modules by their prefix only.
    removeNodeProtocol: false,
    external: [/^node:/, ...external],
    outExtension: ({ format }) => ({ js: format === 'cjs' ? '.cjs' : '.js' }),
  })
}
