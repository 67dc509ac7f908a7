/** A look-up that was let through: the one that finds out whether the source answers again, or any other. */
export type Pass = 'probe' | 'plain'

/** Keeps a source that fails from being asked, and finds out with one look-up at a time when it answers again. */
export interface Circuit {
  /** Not closed. */
  readonly open: boolean
  /** When a probe may be made, once it is open. Epoch ms. */
  readonly until: number
  /** No look-up may be made now: it is open, or its probe is on its way. */
  bars(now: number): boolean
  /** Begins a look-up, which must be ended by one of those below; undefined when none may be made. */
  enter(now: number): Pass | undefined
  /** It was not made, or says nothing about the source. */
  leave(pass: Pass): void
  succeeded(pass: Pass): void
  failed(pass: Pass, now: number): void
  /** Opens it until then, whatever came before. */
  refuse(until: number): void
}

/** Failures in a row that open it. */
const FAILURES = 5
/** How long it is open at first and at most, in ms; each failed probe doubles it. */
const FIRST = 30_000
const LONGEST = 600_000

export function createCircuit(): Circuit {
  let failures = 0
  let length = FIRST
  let probing = false

  /** What began before it opened says nothing new. */
  const isOld = (pass: Pass): boolean => circuit.open && pass === 'plain'

  const circuit = {
    open: false,
    until: 0,
    bars: (now: number) => circuit.open && (probing || now < circuit.until),
    enter(now: number): Pass | undefined {
      if (circuit.bars(now)) return undefined
      probing = circuit.open
      return probing ? 'probe' : 'plain'
    },
    leave(pass: Pass) {
      if (pass === 'probe') probing = false
    },
    succeeded(pass: Pass) {
      if (isOld(pass)) return
      failures = 0
      length = FIRST
      probing = false
      circuit.open = false
    },
    failed(pass: Pass, now: number) {
      if (isOld(pass) || (++failures < FAILURES && pass === 'plain')) return
      // Processes that share the source do not all come back at once.
      circuit.refuse(now + length * (0.9 + Math.random() / 5))
      length = Math.min(2 * length, LONGEST)
    },
    refuse(until: number) {
      probing = false
      circuit.open = true
      circuit.until = Math.max(until, circuit.until)
    },
  }
  return circuit
}
