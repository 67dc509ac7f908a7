import { randomBytes } from 'node:crypto'
import { setInterval as nodeInterval } from 'node:timers'

/** Everything that a package must not do when it is imported. */
clearTimeout(setTimeout(() => undefined, 1))
Math.random()
crypto.randomUUID()
randomBytes(1)
clearInterval(nodeInterval(() => undefined, 1))
