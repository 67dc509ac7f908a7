import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PackedPackage } from './pack-packages.ts'

export interface Registry {
  /** With a slash at the end, as `.npmrc` wants it. */
  readonly url: string
  /** What was asked for and is not there. */
  readonly missing: readonly string[]
  readonly stop: () => Promise<void>
}

/**
 * A registry of 127.0.0.1 that has our tarballs and nothing else, for the scope `@ipguard`.
 *
 * So a project installs them by name, as from npm: the ranges between them have to fit, and one that is not published is missed.
 */
export async function startRegistry(packages: readonly PackedPackage[]): Promise<Registry> {
  const tarballs = new Map(packages.map(({ manifest, tarball }) => [manifest.name, readFileSync(tarball)]))
  const manifests = new Map(packages.map(({ manifest }) => [manifest.name, manifest]))
  const missing: string[] = []

  const document = (name: string, url: string): string | undefined => {
    const manifest = manifests.get(name)
    const tarball = tarballs.get(name)
    if (!manifest || !tarball) return undefined
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
    const shasum = createHash('sha1').update(tarball).digest('hex')
    return JSON.stringify({
      name,
      'dist-tags': { latest: manifest.version },
      // Package managers may refuse what was published today.
      time: { [manifest.version]: '2020-01-01T00:00:00.000Z', modified: '2020-01-01T00:00:00.000Z' },
      versions: {
        [manifest.version]: { ...manifest, dist: { tarball: `${url}${name}/-/package.tgz`, integrity, shasum } },
      },
    })
  }

  const server = createServer((req, res) => {
    const path = decodeURIComponent(req.url ?? '').slice(1)
    const file = path.endsWith('/-/package.tgz') ? tarballs.get(path.slice(0, -'/-/package.tgz'.length)) : undefined
    const body = file ?? document(path, `http://${req.headers.host}/`)
    if (body === undefined) missing.push(path)
    res.writeHead(body === undefined ? 404 : 200, {
      'content-type': file ? 'application/octet-stream' : 'application/json',
      // The next run may have the same port and other tarballs.
      'cache-control': 'no-store',
    })
    res.end(body ?? '{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    missing,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
