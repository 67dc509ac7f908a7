import { setPriority } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { feed } from '../../src/feeds/index.ts'
import { isListed, numbered } from './big-list.ts'

// Swaps a list of many lines in while look-ups go on, and says how it went as one line of JSON. Arguments: URL, lines.

try {
  // So that what else runs on the machine disturbs less; not everybody may.
  setPriority(-5)
} catch {}

const [url = '', lines = '0'] = process.argv.slice(2)
const count = Number(lines)
const list = feed({ name: 'big', url, refresh: '1h', timeout: '120s' })

let version = -1
let answers = 0
let wrong = 0
let longest = 0
let busiest = 0
let isDone = false
let last = performance.now()
let used = cpu()

/** Milliseconds that this thread has had of a processor: what other processes take away of it does not count. */
function cpu(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function turn(): void {
  longest = Math.max(longest, performance.now() - last)
  busiest = Math.max(busiest, cpu() - used)
  const set = list.current
  // One version has the first number and the other has not; every other answer must be of the same version.
  version = set === undefined ? -1 : set.has(numbered(1)) ? 1 : 0
  for (let i = 0; i < 500; i++) {
    const n = Math.floor(Math.random() * count * 2.2)
    const expected = version >= 0 && isListed(n, version, count)
    if ((set?.has(numbered(n)) ?? false) !== expected) wrong++
    answers++
  }
  last = performance.now()
  used = cpu()
  if (!isDone) setImmediate(turn)
}

setImmediate(turn)
await list.ready()
// A second list takes the place of a first one of the same size, as happens in production.
longest = 0
busiest = 0
const delays = monitorEventLoopDelay({ resolution: 1 })
delays.enable()
const { type } = await list.refresh()
// The swap itself, and what follows it.
for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
isDone = true
const { entries } = list.status()
await list.close()
process.stdout.write(
  JSON.stringify({ outcome: type, entries, version, answers, wrong, busiest, longest, delay: delays.max / 1e6 }),
)
