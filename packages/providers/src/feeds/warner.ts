import { type IpGuardErrorCode, warnProcess } from '@ipguard/core'
import type { FeedSettings } from './feed-options.ts'

export interface Warner {
  now(code: IpGuardErrorCode, message: string): void
  /** Not again before `over`. */
  once(code: IpGuardErrorCode, message: string): void
  over(code: IpGuardErrorCode): void
}

/** Tells the operator, as a list that has not come for months and says nothing is worse than none; a listener that throws is not told about. */
export function createWarner({ onWarning = warnProcess }: Pick<FeedSettings, 'onWarning'>): Warner {
  const open = new Set<IpGuardErrorCode>()
  const now = (code: IpGuardErrorCode, message: string): void => {
    try {
      onWarning({ code, message })
    } catch {
      // Nobody is left to tell.
    }
  }
  return {
    now,
    once(code, message) {
      if (open.has(code)) return
      open.add(code)
      now(code, message)
    },
    over: (code) => void open.delete(code),
  }
}
