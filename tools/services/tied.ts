import { spawnSync } from 'node:child_process'

let canTie: boolean | undefined

/** On Linux the kernel ends the server with this process, also when this one is killed and can end nothing itself. */
export function tied(
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const tie = ['--pdeathsig', 'KILL']
  canTie ??= process.platform === 'linux' && spawnSync('setpriv', [...tie, 'true']).status === 0
  return canTie ? { command: 'setpriv', args: [...tie, command, ...args] } : { command, args }
}
