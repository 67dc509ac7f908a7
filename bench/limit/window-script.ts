import { createHash } from 'node:crypto'

/** The count of each key, which lives for a window. Whoever names keys after the window's number needs no more. ARGV: window in ms. */
const WINDOWS = `
local call, window = redis.call, ARGV[1]
local counts = {}
for i = 1, #KEYS do
  local count = call('INCR', KEYS[i])
  if count == 1 then call('PEXPIRE', KEYS[i], window) end
  counts[i] = count
end
return counts`

const SHA = createHash('sha1').update(WINDOWS).digest('hex')

/** How a client is sent a command, whichever client it is. */
export type Send = (command: readonly string[]) => Promise<unknown>

export interface WindowScript {
  /** One command for one key. */
  readonly one: (key: string) => Promise<readonly number[]>
  /** One command for all keys of one turn of the event loop, at most `cap`. */
  readonly batched: (key: string) => Promise<number>
}

interface Waiting {
  readonly resolve: (count: number) => void
  readonly reject: (error: unknown) => void
}

/** The least that a limit in Redis can cost: no clock, no algorithm, no ban, no answer but the count. */
export async function bareWindows(send: Send, window: number, cap: number): Promise<WindowScript> {
  if ((await send(['SCRIPT', 'LOAD', WINDOWS])) !== SHA) throw new Error('The server names the script otherwise.')
  const tail = `${window}`
  let keys: string[] = []
  let waiting: Waiting[] = []
  let scheduled = false
  const flush = (): void => {
    const asked = waiting
    const command = ['EVALSHA', SHA, `${keys.length}`, ...keys, tail]
    keys = []
    waiting = []
    send(command).then(
      (replies) => {
        const counts = replies as readonly number[] // one for each key
        for (let i = 0; i < asked.length; i++) asked[i]?.resolve(counts[i] as number)
      },
      (error: unknown) => {
        for (const { reject } of asked) reject(error)
      },
    )
  }
  const turn = (): void => {
    scheduled = false
    if (keys.length > 0) flush()
  }
  return {
    one: (key) => send(['EVALSHA', SHA, '1', key, tail]) as Promise<readonly number[]>, // as the script has it
    batched: (key) =>
      new Promise((resolve, reject) => {
        keys.push(key)
        waiting.push({ resolve, reject })
        if (keys.length === cap) flush()
        if (!scheduled) {
          scheduled = true
          setImmediate(turn)
        }
      }),
  }
}
