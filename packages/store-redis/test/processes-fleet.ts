import { type ChildProcess, fork } from 'node:child_process'
import type { Orders } from './processes.child.ts'

type Answer<Name extends keyof Orders> = Awaited<ReturnType<Orders[Name]>>

/** A process of its own. */
export interface Member {
  call<Name extends keyof Orders>(name: Name, ...args: Parameters<Orders[Name]>): Promise<Answer<Name>>
  /** Ends it as a crash would. */
  kill(): Promise<void>
}

export interface Fleet {
  readonly members: readonly Member[]
  /** The same to all of them at once; answers in their order. */
  all<Name extends keyof Orders>(name: Name, ...args: Parameters<Orders[Name]>): Promise<Answer<Name>[]>
  kill(): Promise<void>
}

/** Processes that use the Redis on this port. */
export async function startFleet(size: number, port: number): Promise<Fleet> {
  const members = await Promise.all(Array.from({ length: size }, () => startMember(port)))
  return {
    members,
    all: (name, ...args) => Promise.all(members.map((member) => member.call(name, ...args))),
    kill: async () => void (await Promise.all(members.map((member) => member.kill()))),
  }
}

async function startMember(port: number): Promise<Member> {
  const child = fork(new URL('processes.child.ts', import.meta.url), [String(port)], {
    execArgv: ['--conditions=@ipguard/source', '--no-warnings'],
  })
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
    call(name, ...args) {
      const id = ++number
      const answered = answer<Answer<typeof name>>(id)
      send(child, { id, name, args })
      return answered
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function send(child: ChildProcess, message: object): void {
  // A process that has ended has rejected what it was asked.
  child.send(message, () => {})
}
