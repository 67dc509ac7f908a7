import { borrowedVectors } from './borrowed-vectors.ts'
import { forwardedForVectors } from './forwarded-for-vectors.ts'
import { forwardedVectors } from './forwarded-vectors.ts'
import { singleVectors } from './single-vectors.ts'
import { socketVectors } from './socket-vectors.ts'
import type { ClientAddressVector } from './vector.ts'

/**
 * Who the client of a request is, case by case: what core, every adapter and every runtime must answer alike.
 *
 * Plain data. Those with `wire: true` can be sent to a server on 127.0.0.1 as they are; the others need another peer,
 * or bytes that an HTTP client does not send.
 */
export const clientAddressVectors: readonly ClientAddressVector[] = [
  ...socketVectors,
  ...forwardedForVectors,
  ...forwardedVectors,
  ...singleVectors,
  ...borrowedVectors,
]
