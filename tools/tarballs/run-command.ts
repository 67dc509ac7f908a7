import { spawn } from 'node:child_process'

export interface CommandResult {
  readonly status: number | null
  /** What it wrote to stdout and stderr, as it came. */
  readonly output: string
}

/** Runs a program to its end without holding this process up: a registry in it has to answer meanwhile. */
export function runCommand(command: string, args: readonly string[], cwd: string): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, output }))
  })
}

/** @throws {Error} with all that the program wrote, when it fails */
export async function succeed(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { status, output } = await runCommand(command, args, cwd)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} (in ${cwd}): ${output}`)
  return output
}
