import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packages, read, root, sources } from './workspace.ts'

const PAGES = 'docs/errors'

/** Every code that stands in a source of a package: the union in core, warnings, and codes named in a docstring. */
const codes = [
  ...new Set(
    packages.flatMap(({ folder }) => sources(join(folder, 'src')).flatMap((file) => read(file).match(CODE()) ?? [])),
  ),
].toSorted()

function CODE(): RegExp {
  return /\bIPGUARD_[A-Z0-9]+(?:_[A-Z0-9]+)*\b/g
}

describe('error codes', () => {
  it('are found in the sources', () => {
    expect(codes).toContain('IPGUARD_OPTION_UNKNOWN')
  })

  it.each(codes)('%s has a page with its cause and its fix', (code) => {
    const page = join(PAGES, `${code}.md`)
    expect(existsSync(join(root, page)), `${page} is missing`).toBe(true)
    const text = read(page)
    expect(text).toMatch(new RegExp(`^# .*${code}`, 'm'))
    expect(text).toMatch(/^## Cause$/m)
    expect(text).toMatch(/^## Fix$/m)
  })

  it('have no page without a code', () => {
    const pages = existsSync(join(root, PAGES)) ? readdirSync(join(root, PAGES)) : []
    const known = new Set([...codes.map((code) => `${code}.md`), 'README.md', 'index.md'])
    expect(pages.filter((page) => !known.has(page))).toEqual([])
  })
})
