import type { Address } from '../ip/address.ts'
import type { Told } from './told.ts'

/** Who wants an answer. */
export interface Asker {
  /** May use the reserve of a quota. */
  readonly highValue: boolean
  /** Waits for the answer: what other processes know is read also while the source may not be asked. */
  readonly waits: boolean
  /** An answer came. */
  readonly told: (flight: Flight, told: Told) => void
}

/** One address on its way to an answer. */
export interface Flight {
  readonly provider: string
  readonly ip: string
  readonly address: Address
  readonly askers: ReadonlySet<Asker>
  /** One of those who asked may use the reserve. */
  readonly highValue: boolean
  /** One of them waits. */
  readonly waits: boolean
  /** Called when it has ended, with an answer or without. */
  readonly waiters: (() => void)[]
  /** Resolves when there is nothing more to do, the record for other processes included. */
  readonly over: Promise<void>
}

/** What it told; or until when it is not asked about the address again, as it could not tell. 0: no such time. */
export type Answer = Told | number

/** The look-ups of one source: one for each address, some at a time, the others in a queue. */
export interface Flights {
  readonly inFlight: number
  readonly queued: number
  readonly of: (ip: string) => Flight | undefined
  /** Joins the look-up of an address, or starts one in a turn of its own. */
  join(ip: string, address: Address, asker: Asker): Flight
  /** The answer is there, though there may be more to do. The first one counts. */
  end(flight: Flight, answer: Answer): void
  /** Ends those that wait for their turn. */
  close(): void
}

export interface FlightsOptions {
  readonly provider: string
  readonly limits: { readonly concurrency: number; readonly maxQueue: number }
  /** Must not reject. */
  readonly run: (flight: Flight) => Promise<void>
  readonly ended: (flight: Flight, answer: Answer) => void
  /** The oldest had to make room in the queue. */
  readonly dropped: () => void
}

export function createFlights({ provider, limits, run, ended, dropped }: FlightsOptions): Flights {
  const flights = new Map<string, OwnFlight>()
  const waiting = new Set<OwnFlight>()
  let inFlight = 0

  function pump(): void {
    for (const flight of waiting) {
      if (inFlight >= limits.concurrency) return
      waiting.delete(flight)
      inFlight++
      void fly(flight)
    }
  }

  async function fly(flight: OwnFlight): Promise<void> {
    // In a turn of its own: what follows is no part of the request.
    await Promise.resolve()
    await run(flight)
    end(flight, 0)
    flight.land()
    inFlight--
    pump()
  }

  function end(flight: Flight, answer: Answer): void {
    if (flights.get(flight.ip) !== flight) return
    flights.delete(flight.ip)
    ended(flight, answer)
    for (const call of flight.waiters) call()
  }

  function giveUp(flight: OwnFlight): void {
    waiting.delete(flight)
    end(flight, 0)
    flight.land()
  }

  return {
    get inFlight() {
      return inFlight
    },
    get queued() {
      return waiting.size
    },
    of: (ip) => flights.get(ip),
    join(ip, address, asker) {
      let flight = flights.get(ip)
      if (!flight) {
        flight = createFlight(provider, ip, address)
        flights.set(ip, flight)
        waiting.add(flight)
        pump()
      }
      flight.askers.add(asker)
      flight.highValue ||= asker.highValue
      flight.waits ||= asker.waits
      const [oldest] = waiting.size > limits.maxQueue ? waiting : []
      if (oldest) {
        giveUp(oldest)
        dropped()
      }
      return flight
    },
    end,
    close() {
      for (const flight of waiting) giveUp(flight)
    },
  }
}

interface OwnFlight extends Flight {
  readonly askers: Set<Asker>
  highValue: boolean
  waits: boolean
  readonly land: () => void
}

function createFlight(provider: string, ip: string, address: Address): OwnFlight {
  let land: () => void = () => {}
  const over = new Promise<void>((resolve) => {
    land = resolve
  })
  return { provider, ip, address, askers: new Set(), highValue: false, waits: false, waiters: [], over, land }
}
