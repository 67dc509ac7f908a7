import type { RequestHandle } from '@ipguard/fetch'

declare global {
  namespace App {
    interface Locals {
      /** The decision on this request, and what a handler can do about it. */
      ipguard: RequestHandle | undefined
    }
  }
}
