import { describe, expect, it, test } from 'vitest'
import { IpGuardError } from '../errors.ts'
import { compileClientIp, resolveClientIp } from './resolve-client-ip.ts'

const header = 'x-forwarded-for'

function errorOf(run: () => unknown): IpGuardError {
  try {
    run()
  } catch (error) {
    if (error instanceof IpGuardError) return error
    throw error
  }
  throw new Error('accepted')
}

describe('clientIp options that are refused', () => {
  test.each<[options: unknown, code: string, part: string]>([
    [{ header }, 'IPGUARD_TRUST_MISSING', `clientIp reads "x-forwarded-for" and names no proxy that may set it`],
    [{ header, hops: 2 }, 'IPGUARD_TRUST_MISSING', `Write trust: ['10.0.0.5/32']`],
    [{ header, originUnreachable: false }, 'IPGUARD_TRUST_MISSING', 'or originUnreachable: true if nobody reaches'],
    [{ header: 'x-real-ip' }, 'IPGUARD_TRUST_MISSING', '"x-real-ip"'],
    [{ header, trust: [] }, 'IPGUARD_TRUST_INVALID', 'clientIp.trust is an array of 0.'],
    [{ header, trust: true }, 'IPGUARD_TRUST_INVALID', 'clientIp.trust is true.'],
    [{ header, trust: 1 }, 'IPGUARD_TRUST_INVALID', 'clientIp.trust is 1.'],
    [{ header, trust: null }, 'IPGUARD_TRUST_INVALID', 'clientIp.trust is null.'],
    [{ header, trust: 'loopback' }, 'IPGUARD_TRUST_INVALID', 'clientIp.trust is "loopback".'],
    [{ header, trust: ['10.0.0.1', true] }, 'IPGUARD_TRUST_INVALID', 'clientIp.trust[1] is true.'],
    [{ header, trust: ['0.0.0.0/0'] }, 'IPGUARD_TRUST_INVALID', 'clientIp.trust[0] is "0.0.0.0/0".'],
    [{ header, trust: ['loopback', '::/0'] }, 'IPGUARD_TRUST_INVALID', 'trusts everybody'],
    [{ header, trust: ['10.1.2.3/0'] }, 'IPGUARD_TRUST_INVALID', 'clientIp.trust[0]'],
    [{ header, trust: ['::ffff:0:0/96'] }, 'IPGUARD_TRUST_INVALID', 'trusts everybody'],
    [{ header, trust: ['::ffff:10.0.0.0/8'] }, 'IPGUARD_CIDR_INVALID', 'clientIp.trust[0]'],
    [
      { header, trust: ['10.0.0.1', '10.0.0/8'] },
      'IPGUARD_CIDR_INVALID',
      'clientIp.trust[1] is not a CIDR: "10.0.0/8". Write it as "10.0.0.0/8".',
    ],
    [{ header, trust: ['proxy.internal'] }, 'IPGUARD_CIDR_INVALID', 'proxy.internal'],
    [{ header, trust: ['__proto__'] }, 'IPGUARD_CIDR_INVALID', '__proto__'],
    [{ header, trust: ['constructor'] }, 'IPGUARD_CIDR_INVALID', 'constructor'],
    [{ header, trust: ['Loopback'] }, 'IPGUARD_CIDR_INVALID', 'Loopback'],
    [{ header, trust: ['loopback'], originUnreachable: true }, 'IPGUARD_TRUST_INVALID', 'not both'],
    [{ header, originUnreachable: 'yes' }, 'IPGUARD_OPTION_INVALID', 'clientIp.originUnreachable is "yes".'],
    [{ header, trust: ['loopback'], hops: 0 }, 'IPGUARD_OPTION_INVALID', 'clientIp.hops is 0.'],
    [{ header, trust: ['loopback'], hops: -1 }, 'IPGUARD_OPTION_INVALID', 'a whole number from 1'],
    [{ header, trust: ['loopback'], hops: 1.5 }, 'IPGUARD_OPTION_INVALID', 'clientIp.hops is 1.5.'],
    [{ header, trust: ['loopback'], hops: '1' }, 'IPGUARD_OPTION_INVALID', 'clientIp.hops is "1".'],
    [{ header, trust: ['loopback'], hops: Number.NaN }, 'IPGUARD_OPTION_INVALID', 'clientIp.hops is NaN.'],
    [
      { header: 'x-real-ip', trust: ['loopback'], hops: 1 },
      'IPGUARD_OPTION_INVALID',
      `only with 'x-forwarded-for' or 'forwarded'`,
    ],
    [{ header: '', trust: ['loopback'] }, 'IPGUARD_OPTION_INVALID', 'clientIp.header is "".'],
    [{ header: 'x forwarded', trust: ['loopback'] }, 'IPGUARD_OPTION_INVALID', 'one header name'],
    [{ header: 'x-forwarded-for,forwarded', trust: ['loopback'] }, 'IPGUARD_OPTION_INVALID', 'one header name'],
    [{ header: ['x-forwarded-for'], trust: ['loopback'] }, 'IPGUARD_OPTION_INVALID', 'an array of 1'],
    [{ header: 'x-\u212a', trust: ['loopback'] }, 'IPGUARD_OPTION_INVALID', 'one header name'],
    [{ trust: ['loopback'] }, 'IPGUARD_OPTION_INVALID', '"trust" is of no use alone'],
    [{ originUnreachable: true }, 'IPGUARD_OPTION_INVALID', '"originUnreachable" is of no use alone'],
    [{ headers: header }, 'IPGUARD_OPTION_UNKNOWN', 'Did you mean "header"?'],
    [{ header, trustProxy: true }, 'IPGUARD_OPTION_UNKNOWN', 'trustProxy'],
    [true, 'IPGUARD_OPTION_INVALID', 'clientIp is true.'],
    [null, 'IPGUARD_OPTION_INVALID', 'clientIp is null.'],
    ['cloudflare', 'IPGUARD_OPTION_INVALID', 'clientIp is "cloudflare".'],
    [[], 'IPGUARD_OPTION_INVALID', 'clientIp is an array of 0.'],
  ])('%j: %s', (options, code, part) => {
    // the wrong type is the point of the test
    const error = errorOf(() => resolveClientIp(options as never))
    expect(error.code).toBe(code)
    expect(error.message).toContain(part)
  })

  test.each([16, 31, 129, 64.5, Number.NaN])('an ipv6Prefix of %s', (ipv6Prefix) => {
    const error = errorOf(() => compileClientIp({}, { ipv6Prefix }))
    expect(error.code).toBe('IPGUARD_OPTION_INVALID')
    expect(error.message).toContain('a whole number from 32 to 128')
  })
})

describe('clientIp options that are accepted', () => {
  it('lower-cases the header', () => {
    expect(compileClientIp({ header: 'CF-Connecting-IP', originUnreachable: true }).header).toBe('cf-connecting-ip')
  })

  it('masks host bits and unwraps IPv4-mapped blocks in trust', () => {
    const { trust } = compileClientIp({ header, trust: ['10.1.2.3/8', '::ffff:172.16.0.0/108'] })
    expect([trust?.has('10.255.0.1'), trust?.has('172.31.0.1'), trust?.has('172.32.0.1')]).toEqual([true, true, false])
  })

  it('says what it trusts and whether it reads a header', () => {
    expect(compileClientIp()).toMatchObject({ trust: undefined, header: undefined, readsHeader: false })
    expect(compileClientIp({ header, trust: ['unix'] })).toMatchObject({ trust: undefined, readsHeader: true })
    expect(compileClientIp({ header, originUnreachable: true })).toMatchObject({ trust: undefined, readsHeader: true })
  })

  it('does not change the options, and takes frozen ones', () => {
    const options = Object.freeze({ header, trust: Object.freeze(['loopback', '10.0.0.1']) })
    expect(resolveClientIp(options)).toBeTypeOf('function')
  })
})
