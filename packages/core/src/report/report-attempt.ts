import type { ReportHost } from './report-host.ts'

/** What a source threw; undefined: it took the report. */
export type Thrown = { readonly thrown: unknown } | undefined

/** Sends with a deadline, also to a provider that ignores its signal. */
export interface Attempts {
  readonly make: (send: (signal: AbortSignal) => Promise<void>) => Promise<Thrown>
  /** Gives up what is under way. */
  readonly close: () => void
}

export function createAttempts(timeout: number, after: ReportHost['after']): Attempts {
  const aborts = new Set<() => void>()
  return {
    make: (send) =>
      new Promise((resolve) => {
        const controller = new AbortController()
        const abort = (): void => {
          // Nobody knows whether it has arrived.
          resolve({ thrown: { name: 'TimeoutError' } })
          controller.abort()
        }
        aborts.add(abort)
        const cancel = after(timeout, abort)
        void Promise.resolve()
          .then(() => send(controller.signal))
          .then(
            () => resolve(undefined),
            (thrown: unknown) => resolve({ thrown }),
          )
          .finally(() => {
            cancel()
            aborts.delete(abort)
          })
      }),
    close() {
      for (const abort of aborts) abort()
    },
  }
}
