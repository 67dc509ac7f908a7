import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const LIMIT = 300_000

/**
 * Does slow work once, where several test processes come for it at the same time: one does it and the others wait for the file `lock` to go.
 * A lock whose process has ended is taken over.
 */
export async function once(lock: string, isDone: () => boolean, work: () => Promise<void>): Promise<void> {
  mkdirSync(dirname(lock), { recursive: true })
  const deadline = Date.now() + LIMIT
  while (!isDone()) {
    if (take(lock)) {
      try {
        if (!isDone()) await work()
      } finally {
        rmSync(lock, { force: true })
      }
      return
    }
    if (Date.now() > deadline)
      throw new Error(`Another process holds ${lock} for too long. Remove the file if there is none.`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    if (!isHeld(lock)) rmSync(lock, { force: true })
    return false
  }
}

function isHeld(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    // Made, and not yet written.
    if (pid === 0) return true
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
