import { providerSuite } from '@ipguard/conformance'
import { describe, expect, test } from 'vitest'
import { httpSources } from './http-sources.ts'

describe.each(httpSources)('$name', ({ create, ...http }) => {
  providerSuite({
    test,
    expect,
    create: ({ baseUrl, timeout, key }) => create({ baseUrl, timeout }, key),
    http,
  })
})
