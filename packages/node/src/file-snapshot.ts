import { type FileHandle, lstat, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { checkOptions, type Duration, invalidOption, parseDuration } from '@ipguard/core'

/** After this long nobody writes a temporary file any more, in ms. */
const STALE = 60_000
/** Their names, behind the path and a dot; without the random part in files of before. */
const TEMPORARY = /^\d+(?:\.[\da-f-]{36})?\.tmp$/

/** How often `fileSnapshot` writes. */
export interface FileSnapshotOptions {
  /** How long a change may stay unsaved. @default '1s' */
  readonly every?: Duration
}

/** What `memoryStore({ snapshot })` takes. */
export interface FileSnapshot {
  /** The bytes of the file; undefined: there is none. */
  load(): Promise<Uint8Array | undefined>
  /** Writes a new file and puts it in the place of the old one. */
  save(bytes: Uint8Array): Promise<void>
  /** Renames the file to `<path>.damaged`, in place of one that is there already. */
  keepDamaged(): Promise<void>
  readonly every?: Duration
}

/**
 * Keeps the bans and entries of a memory store in a file, so that they survive a restart of a single process.
 *
 * Each save writes a new file beside it, readable by the owner only, flushes it to the disk and renames it: a crash at any moment leaves
 * the old file or the new one whole. The folder must exist. A file that is damaged all the same is told by its checksum; the store then
 * starts empty, warns with `IPGUARD_SNAPSHOT_DAMAGED`, and renames it to `<path>.damaged` before it saves another. Temporary
 * files older than a minute are removed at load. A process has its own file: of two that share one the last to save wins.
 *
 * @example
 * ipguard({ store: memoryStore({ snapshot: fileSnapshot('/var/lib/app/bans.snapshot') }), policies })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function fileSnapshot(path: string, options: FileSnapshotOptions = {}): FileSnapshot {
  if (typeof path !== 'string' || path === '') throw invalidOption('fileSnapshot.path', path, 'the name of a file')
  checkOptions(options, ['every'], 'fileSnapshot')
  const { every } = options
  if (every !== undefined) parseDuration(every, 'fileSnapshot.every')
  return {
    async load() {
      await removeStale(path)
      try {
        return await readFile(path)
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    async save(bytes) {
      // Not the process alone: it may have two stores on this path, and each container has a process 1. `wx` follows no link.
      const temporary = `${path}.${process.pid}.${crypto.randomUUID()}.tmp`
      try {
        await writeThrough(await open(temporary, 'wx', 0o600), bytes)
        await rename(temporary, path)
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
      await syncFolder(dirname(path))
    },
    async keepDamaged() {
      try {
        await rename(path, `${path}.damaged`)
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    },
    ...(every !== undefined && { every }),
  }
}

async function writeThrough(file: FileHandle, bytes?: Uint8Array): Promise<void> {
  try {
    if (bytes) await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Removes the temporary files that ended processes left behind. */
async function removeStale(path: string): Promise<void> {
  const folder = dirname(path)
  const start = `${basename(path)}.`
  try {
    for (const name of await readdir(folder)) {
      if (!name.startsWith(start) || !TEMPORARY.test(name.slice(start.length))) continue
      const file = join(folder, name)
      if (Date.now() - (await lstat(file)).mtimeMs > STALE) await rm(file)
    }
  } catch {
    // They take room, no more; the snapshot itself may be read all the same.
  }
}

/** Makes the rename itself survive a power cut; not every system can open a folder. */
async function syncFolder(folder: string): Promise<void> {
  try {
    await writeThrough(await open(folder, 'r'))
  } catch {
    // The file is whole either way: at worst it is the one before.
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
