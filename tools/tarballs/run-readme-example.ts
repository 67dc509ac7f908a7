import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Its server listens on a free port of 127.0.0.1, whatever it asks for, and tells which. */
const PRELOAD = `
  import { Server } from 'node:net'
  const { listen } = Server.prototype
  Server.prototype.listen = function (_port, ...rest) {
    this.once('listening', () => process.send(this.address().port))
    return listen.call(this, 0, '127.0.0.1', ...rest)
  }`

/** Starts a README's example as it stands, in a project that has installed what the README says, and hands its address on. */
export async function runReadmeExample(
  folder: string,
  code: string,
  visit: (url: string) => Promise<void>,
): Promise<void> {
  writeFileSync(join(folder, 'example.js'), code)
  writeFileSync(join(folder, 'preload.js'), PRELOAD)
  const child = fork('example.js', [], { cwd: folder, execArgv: ['--import', './preload.js'], stdio: 'pipe' })
  let output = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const closed = once(child, 'close')
  try {
    const port = await Promise.race([
      once(child, 'message', { signal: AbortSignal.timeout(20_000) }).then(([message]: unknown[]) => Number(message)),
      closed.then(() => undefined),
    ])
    if (port === undefined) throw new Error(`The README's example ended: ${output}`)
    await visit(`http://127.0.0.1:${port}/`)
  } finally {
    child.kill()
    await closed
  }
}
