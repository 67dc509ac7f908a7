import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

const CACHE = resolve(import.meta.dirname, '../../.cache/services')
/** Libraries whose package is named after another one. */
const NAMES: Readonly<Record<string, string>> = { 'libz.so.1': 'zlib1g', 'libcrypto.so.3': 'libssl3' }

export interface DebianSource {
  /** The packages with the program; the first names the folder. */
  readonly debian: readonly string[]
  /** The program inside those packages. */
  readonly inside: string
}

/**
 * Unpacks Debian packages into the checkout's cache and answers the program in them and the environment it needs.
 *
 * Needs apt-get, dpkg and ldd, but no root and no installed index: apt gets folders of its own. Libraries that the
 * program lacks are fetched until none is missing. What is fetched is printed, since it takes seconds and the network.
 */
export function fetchDebian(source: DebianSource): {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
} {
  const [name = ''] = source.debian
  const folder = join(CACHE, name)
  if (!existsSync(folder)) {
    if (spawnSync('apt-get', ['--version']).status !== 0) throw new Error('there is no apt-get here.')
    mkdirSync(CACHE, { recursive: true })
    // Unpacked aside and renamed when complete: several test processes may come here at once.
    const work = mkdtempSync(join(CACHE, `.${name}-`))
    try {
      fill(work, source)
      publish(work, folder)
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  }
  return { path: join(folder, source.inside), env: libraryPath(folder) }
}

function fill(work: string, source: DebianSource): void {
  const apt = aptIn(join(work, '.apt'))
  apt.update()
  apt.unpack(source.debian, work)
  // One at a time: a package often brings several of the missing libraries, and libraries need libraries.
  const asked = new Set<string>()
  for (;;) {
    const [missing] = missingLibraries(join(work, source.inside), libraryPath(work))
    if (missing === undefined) break
    if (asked.has(missing)) throw new Error(`the package of its library ${missing} was not found.`)
    asked.add(missing)
    apt.unpackFirst(packagesOf(missing), work)
  }
  rmSync(join(work, '.apt'), { recursive: true })
}

function publish(work: string, folder: string): void {
  try {
    renameSync(work, folder)
  } catch (error) {
    // Another process was first, and its copy is as good.
    if (!existsSync(folder)) throw error
  }
}

interface Apt {
  update(): void
  unpack(packages: readonly string[], into: string): void
  unpackFirst(candidates: readonly string[], into: string): void
}

function aptIn(home: string): Apt {
  const downloads = join(home, 'downloads')
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'downloads']) {
    mkdirSync(join(home, part), { recursive: true })
  }
  const options = [
    `Dir::State=${join(home, 'state')}`,
    `Dir::Cache=${join(home, 'cache')}`,
    'Dir::State::status=/var/lib/dpkg/status',
    // As root, apt would download as a user that cannot write to these folders.
    'APT::Sandbox::User=',
    'Acquire::Retries=2',
  ].flatMap((option) => ['-o', option])
  const download = (packages: readonly string[]): void => {
    console.log(`[services] apt-get download ${packages.join(' ')}`)
    run('apt-get', ['-q', ...options, 'download', ...packages], downloads)
  }
  const extract = (into: string): void => {
    for (const file of readdirSync(downloads)) {
      run('dpkg', ['-x', join(downloads, file), into], downloads)
      rmSync(join(downloads, file))
    }
  }
  return {
    update() {
      console.log('[services] apt-get update, into the cache of this checkout')
      try {
        run('apt-get', ['-q', ...options, 'update'], downloads)
      } catch (error) {
        // One source that does not answer fails the command, though Debian's own may have come: the download tells.
        console.log(`[services] ${error instanceof Error ? error.message : String(error)}`)
      }
    },
    unpack(packages, into) {
      download(packages)
      extract(into)
    },
    unpackFirst(candidates, into) {
      for (const [index, candidate] of candidates.entries()) {
        try {
          download([candidate])
          break
        } catch (error) {
          if (index === candidates.length - 1) throw error
        }
      }
      extract(into)
    },
  }
}

/** The Debian packages that may hold a library: `libssl.so.3` is in libssl3, since Debian 13 in libssl3t64. */
export function packagesOf(soname: string): readonly string[] {
  const match = /^(.+)\.so(?:\.(\d+))?/.exec(soname)
  const base = (match?.[1] ?? soname).toLowerCase().replaceAll('_', '-')
  // A name that ends in a digit is set off from the version: libpcre2-8.so.0 is in libpcre2-8-0.
  const name = NAMES[soname] ?? `${base}${/\d$/.test(base) ? '-' : ''}${match?.[2] ?? ''}`
  return [name, `${name}t64`]
}

/** The sonames that `ldd` cannot find. */
export function parseMissing(ldd: string): readonly string[] {
  return [...new Set([...ldd.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? ''))]
}

function missingLibraries(program: string, env: Readonly<Record<string, string>>): readonly string[] {
  return parseMissing(spawnSync('ldd', [program], { env: { ...process.env, ...env }, encoding: 'utf8' }).stdout)
}

function libraryPath(folder: string): Readonly<Record<string, string>> {
  const folders = globSync(['lib/*-linux-*', 'usr/lib/*-linux-*'], { cwd: folder }).map((found) => join(folder, found))
  return folders.length > 0 ? { LD_LIBRARY_PATH: folders.join(':') } : {}
}

function run(command: string, args: readonly string[], cwd: string): void {
  // In English, since `hasProgram` reads it.
  const env = { ...process.env, LC_ALL: 'C' }
  const result = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: 180_000 })
  if (result.status === 0) return
  const words = result.error?.message ?? result.stderr.trim().split('\n').slice(-4).join(' ')
  throw new Error(`${command} ${args.at(-1)} failed: ${words}`)
}
