let agent: Promise<object> | undefined

/**
 * The connections of all look-ups of this process, apart from those of the application: kept alive, bounded for each host, and holding no
 * process open while nothing is asked. Made when the first look-up is sent.
 */
export async function dispatcher(): Promise<object | undefined> {
  agent ??= import('undici').then(({ Agent }) => new Agent({ connections: 32, keepAliveTimeout: 10_000 }))
  return agent
}
