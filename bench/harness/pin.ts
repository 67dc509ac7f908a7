import { execFileSync } from 'node:child_process'

/** Binds every thread of a process to a core; false when there is no way to do it, or no such core. */
export function pin(pid: number, core: number): boolean {
  try {
    execFileSync('taskset', ['-a', '-p', '-c', `${core}`, `${pid}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
