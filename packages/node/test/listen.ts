import type { AddressInfo, Server } from 'node:net'

/** Listens on a free port of 127.0.0.1, or on a path; answers the port, or 0. */
export function listen(server: Server, path?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const done = (): void => resolve(path === undefined ? (server.address() as AddressInfo).port : 0)
    if (path === undefined) server.listen(0, '127.0.0.1', done)
    else server.listen(path, done)
  })
}

/** Waits until something holds; fails after ten seconds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('What was waited for did not come within 10 s.')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
