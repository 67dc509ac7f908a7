import { setTimeout as pause } from 'node:timers/promises'

/**
 * Asks a condition of a real server again every 20 ms until it is true. A throw counts as "not yet".
 *
 * Throws after `timeout` milliseconds, with what was waited for; the cause is the last throw of the condition.
 *
 * @example
 * await waitUntil('the replica is in step', async () => String(await redisCommand(port, 'INFO')).includes('link_status:up'))
 */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeout = 10_000,
): Promise<void> {
  const deadline = Date.now() + timeout
  for (;;) {
    let cause: unknown
    try {
      if (await condition()) return
    } catch (error) {
      cause = error
    }
    if (Date.now() > deadline) throw new Error(`Waited ${timeout} ms in vain until ${what}.`, { cause })
    await pause(20)
  }
}
