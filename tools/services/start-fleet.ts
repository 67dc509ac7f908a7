import { fork } from 'node:child_process'

/** What a process can be told to do: names, and functions whose arguments and answers are JSON. */
type AnyOrders = Readonly<Record<string, (...args: never[]) => unknown>>

type Answer<Orders extends AnyOrders, Name extends keyof Orders> = Awaited<ReturnType<Orders[Name]>>

/** A process of its own. */
export interface Member<Orders extends AnyOrders> {
  call<Name extends keyof Orders>(name: Name, ...args: Parameters<Orders[Name]>): Promise<Answer<Orders, Name>>
  /** Ends it as a crash would. */
  kill(): Promise<void>
}

export interface Fleet<Orders extends AnyOrders> {
  readonly members: readonly Member<Orders>[]
  /** The same to all of them at once; answers in their order. */
  all<Name extends keyof Orders>(name: Name, ...args: Parameters<Orders[Name]>): Promise<Answer<Orders, Name>[]>
  kill(): Promise<void>
}

/** Some processes that run the same file, which calls `serveOrders` when it is ready. */
export async function startFleet<Orders extends AnyOrders>(
  file: URL,
  size: number,
  args: readonly string[] = [],
): Promise<Fleet<Orders>> {
  const members = await Promise.all(Array.from({ length: size }, () => startMember<Orders>(file, args)))
  return {
    members,
    all: (name, ...given) => Promise.all(members.map((member) => member.call(name, ...given))),
    kill: async () => void (await Promise.all(members.map((member) => member.kill()))),
  }
}

async function startMember<Orders extends AnyOrders>(file: URL, args: readonly string[]): Promise<Member<Orders>> {
  const child = fork(file, args, { execArgv: ['--conditions=@ipguard/source', '--no-warnings'] })
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  let number = 0
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      for (const { reject } of waiting.values()) reject(new Error(`The process ended with ${signal ?? code}.`))
      waiting.clear()
      resolve()
    })
  })
  child.on('message', (message) => {
    const { id, value, error } = message as { id: number; value?: unknown; error?: string } // it sends nothing else
    const asked = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) asked?.resolve(value as never)
    else asked?.reject(new Error(error))
  })
  const answer = <T>(id: number): Promise<T> =>
    new Promise((resolve, reject) => void waiting.set(id, { resolve, reject }))
  await answer(0)
  return {
    call(name, ...given) {
      const id = ++number
      const answered = answer<Answer<Orders, typeof name>>(id)
      // A process that has ended has rejected what it was asked.
      child.send({ id, name, args: given }, () => {})
      return answered
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** In the process: does what it is told, one message after another, and tells what came of it; ends with the one who started it. */
export function serveOrders(orders: AnyOrders): void {
  process.on('message', (message) => {
    const { id, name, args } = message as { id: number; name: string; args: readonly unknown[] } // a fleet sends nothing else
    Promise.resolve()
      .then(() => orders[name]?.(...(args as never[]))) // as the types of the fleet have it
      .then(
        (value) => process.send?.({ id, value }),
        (error: unknown) => process.send?.({ id, error: error instanceof Error ? error.stack : String(error) }),
      )
  })
  // What nobody has caught ends it, as in an application.
  process.on('disconnect', () => process.exit())
  process.send?.({ id: 0 })
}
