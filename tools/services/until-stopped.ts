import { readdirSync, readFileSync } from 'node:fs'

/** In which none of a process's threads runs: stopped, traced, or ended. */
const STOPPED = new Set(['T', 't', 'Z', 'X'])
const PATIENCE = 5_000

/**
 * Waits until a signal has stopped every thread of a process, as `/proc` tells it: on a machine that is busy a server of several threads goes
 * on answering for some milliseconds after `kill` has returned. Where there is no `/proc` it answers at once.
 */
export function untilStopped(pid: number): void {
  const deadline = Date.now() + PATIENCE
  const pause = new Int32Array(new SharedArrayBuffer(4))
  while (!statesOf(pid).every((state) => STOPPED.has(state)) && Date.now() < deadline) Atomics.wait(pause, 0, 0, 1)
}

function statesOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => stateOf(`/proc/${pid}/task/${thread}/stat`))
  } catch {
    return [] // no such process, or no /proc
  }
}

/** proc_pid_stat(5): the letter after the name in brackets, which may hold brackets itself. None for a thread that is gone. */
function stateOf(file: string): readonly string[] {
  try {
    const line = readFileSync(file, 'latin1')
    return [line.charAt(line.lastIndexOf(')') + 2)]
  } catch {
    return []
  }
}
