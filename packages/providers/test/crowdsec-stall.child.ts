// Run by crowdsec-stall.test.ts: a stream pulled from the server of argv, and how long the event loop stood still meanwhile.
// Prints JSON: { entries, found, rounds, changes }, times in ms.
import { setTimeout as pause } from 'node:timers/promises'
import { handClock } from '../../core/test/hand-clock.ts'
import { crowdsec } from '../src/crowdsec.ts'

const [, , url = '', key = ''] = process.argv
const context = { signal: new AbortController().signal }
const clock = handClock()
const provider = crowdsec({ url, key, mode: 'stream', clock, full: '1h' })

interface Round {
  /** The longest time between two turns of the loop, and the most time of a processor that this thread has had in one. */
  readonly longest: number
  readonly busiest: number
  readonly took: number
}

/** What other processes take away of the processor does not count. */
function cpu(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

async function longestStop(work: Promise<unknown>): Promise<Round> {
  let longest = 0
  let busiest = 0
  let isDone = false
  const began = performance.now()
  const ended = work.finally(() => {
    isDone = true
  })
  while (!isDone) {
    const last = performance.now()
    const used = cpu()
    await new Promise((resolve) => setImmediate(resolve))
    longest = Math.max(longest, performance.now() - last)
    busiest = Math.max(busiest, cpu() - used)
  }
  await ended
  return { longest, busiest, took: performance.now() - began }
}

// Code that is compiled, and connections that are made, are not what is measured.
await provider.start()
const rounds: Round[] = []
for (let i = 0; i < 3; i++) {
  clock.advance(3_700_000)
  rounds.push(await longestStop(pulled()))
}
const changes: Round[] = []
for (let i = 0; i < 3; i++) {
  clock.advance(11_000)
  changes.push(await longestStop(pulled()))
}
const { entries } = provider.status()
const found = ['100.0.0.7', '9.9.9.9'].map((ip) => provider.lookup(ip, context) !== undefined)
provider.close()
process.stdout.write(JSON.stringify({ entries, found, rounds, changes }))

/** Until the pull that was set off is over: only then is the next one planned. */
async function pulled(): Promise<void> {
  while (clock.pending() === 0) await pause(1)
}
