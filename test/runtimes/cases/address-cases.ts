import type { ClientAddressVector, SuiteExpect, SuiteTest } from '@ipguard/conformance'
import { allow, type ClientIpOptions, createGuard, type Guard, type GuardRequest, onlyAllow } from '@ipguard/core'
import { clientAddressVectors } from '../../../packages/conformance/src/client-address/client-address-vectors.ts'

/** Who the client is, case by case: through a guard, and where HTTP carries the headers, with the runtime's own `Request`. */
export function addressCases(test: SuiteTest, expect: SuiteExpect): void {
  for (const vector of clientAddressVectors) {
    test(`core: client: ${vector.name}`, async () => {
      const guard = guardOf(vector)
      const requests = [viewOf(vector), ...(vector.wire ? [requestOf(vector)] : [])]
      for (const request of requests) {
        const { client } = await guard.check(request, { peer: vector.peer })
        if (vector.expect === null) {
          expect(client).toBe(undefined)
          continue
        }
        const { ip, key, rule } = vector.expect
        expect(client?.ip).toBe(ip)
        if (key !== undefined) expect(client?.key).toBe(key)
        if (rule !== undefined) expect(client?.via.rule).toBe(rule)
      }
      await guard.close()
    })
  }
}

export function guardOf({ options, ipv6Prefix, requireHeader }: ClientAddressVector): Guard {
  return createGuard({
    policies: requireHeader ? [onlyAllow(['0.0.0.0/0', '::/0'])] : [allow(['192.0.2.1'])],
    clientIp: options as ClientIpOptions, // plain data says no more than that header is text
    createId: () => 'id',
    clock: { now: () => Date.UTC(2026, 0, 1) },
    ...(ipv6Prefix !== undefined && { ipv6Prefix }),
  })
}

/** Header lines as they are, also those that `Headers` would refuse or trim. */
export function viewOf({ headers }: ClientAddressVector): GuardRequest {
  return {
    method: 'GET',
    url: '/',
    headers: {
      get(name) {
        const values = headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
        return values.length === 0 ? null : values.join(', ')
      },
    },
  }
}

function requestOf({ headers }: ClientAddressVector): Request {
  const own = new Headers()
  for (const [name, value] of headers) own.append(name, value)
  return new Request('http://localhost/', { headers: own })
}
