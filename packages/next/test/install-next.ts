import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { NextApp } from './next-app.ts'
import { once } from './once.ts'

/** The React that each Next brings its own copy of in the app router, and wants beside it all the same. */
const REACT: Readonly<Partial<Record<NextApp['version'], string>>> = { '14.2.35': '18.3.1', '15.5.29': '19.2.0' }

/**
 * Installs a version of Next into the checkout's cache, once, from the npm registry. Answers the folder whose `node_modules` it is in. The
 * workspace's own version is linked there.
 */
export async function installNext(version: NextApp['version']): Promise<string> {
  const home = resolve(import.meta.dirname, '../../../.cache', `next-${version}`)
  const react = REACT[version]
  const dependencies = { next: version, ...(react !== undefined && { react, 'react-dom': react }) }
  const marker = join(home, 'installed')
  const wanted = JSON.stringify(dependencies)
  const isInstalled = (): boolean => existsSync(marker) && readFileSync(marker, 'utf8') === wanted
  await once(`${home}.lock`, isInstalled, async () => {
    mkdirSync(home, { recursive: true })
    if (react === undefined) link(home)
    else install(home, dependencies)
    writeFileSync(marker, wanted)
  })
  return home
}

function link(home: string): void {
  const modules = join(home, 'node_modules')
  if (!existsSync(modules)) symlinkSync(resolve(import.meta.dirname, '../node_modules'), modules)
}

function install(home: string, dependencies: Readonly<Record<string, string>>): void {
  console.log(`[next] npm install next@${dependencies.next} into .cache`)
  writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, dependencies }))
  // No install scripts are needed, and sharp's would look for a compiler.
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']
  const { status, error, stderr } = spawnSync('npm', args, { cwd: home, encoding: 'utf8', timeout: 240_000 })
  if (status !== 0)
    throw new Error(
      `npm install in ${home} failed: ${error?.message ?? stderr.trim()}\nThe tests of Next.js ${dependencies.next} need the npm registry once.`,
    )
}
