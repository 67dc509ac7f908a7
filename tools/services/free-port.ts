import { createServer } from 'node:net'

/**
 * A port of 127.0.0.1 that was free a moment ago. Another process can take it before it is used, so whoever starts
 * a server on it must be ready to try again.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('The system gave no port.'))
        else resolve(address.port)
      })
    })
  })
}
