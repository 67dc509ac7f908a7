import { describe, expect, it } from 'vitest'
import { pageNames } from './page-names.ts'

const plain = { basePath: '', locale: '' }
const shop = { basePath: '/shop', locale: 'en', defaultLocale: 'en' }
/** As Next has it behind a locale that is not the default. */
const lost = { basePath: '', locale: 'fr', defaultLocale: 'en' }

describe('without basePath and i18n', () => {
  it('a path has no other name', () => {
    for (const path of ['/', '/admin', '/fr/admin', '//admin', '/_next/static/a.js', '/_next/data', '/_next/data/x'])
      expect(pageNames(path, plain), path).toEqual([])
  })

  it('a data route has its page’s', () => {
    expect(pageNames('/_next/data/build/blog/admin.json', plain)).toEqual(['/blog/admin'])
    expect(pageNames('/_next/data/build/index.json', plain)).toEqual(['/index', '/'])
  })

  it('a part of a page has the page’s, with .rsc or as Next tells it', () => {
    for (const end of ['.rsc', '.prefetch.rsc', '.prefetch', '.segments/_tree.segment.rsc', '.segments/a/b.segment']) {
      expect(pageNames(`/blog/admin${end}`, plain), end).toEqual(['/blog/admin'])
      expect(pageNames(`/index${end}`, plain), end).toEqual(['/index', '/'])
    }
    expect(pageNames('/a.segments/b.segment.segments/c.segment.rsc', plain)).toEqual(['/a.segments/b.segment'])
    for (const path of ['/a.segments/b', '/a.segments', '/a/b.segment', '/a.prefetch/b', '/a.rsc/b'])
      expect(pageNames(path, plain), path).toEqual([])
  })
})

describe('with basePath', () => {
  it('knows parts of pages under it', () => {
    const url = { ...plain, basePath: '/shop' }
    expect(pageNames('/shop/admin.segments/_tree.segment.rsc', url)).toEqual(
      expect.arrayContaining(['/shop/admin', '/admin']),
    )
    expect(pageNames('/shop/index.prefetch.rsc', url)).toEqual(expect.arrayContaining(['/shop', '/']))
  })

  it('is the page without it too', () => {
    expect(pageNames('/shop/admin/', { ...plain, basePath: '/shop' })).toContain('/admin/')
    expect(pageNames('/a/b/admin', { ...plain, basePath: '/a/b' })).toContain('/admin')
    expect(pageNames('/shopping/admin', { ...plain, basePath: '/shop' })).toEqual(['/shop/shopping/admin'])
  })
})

describe('with i18n', () => {
  it('is the page without the locale, in any case of it', () => {
    for (const path of ['/fr/admin', '/FR/admin']) expect(pageNames(path, lost), path).toEqual(['/admin'])
  })

  it('and without the base path that Next has lost', () => {
    expect(pageNames('/fr/shop/fr/admin', lost)).toEqual(['/shop/fr/admin', '/admin', '/shop/admin'])
  })

  it('takes the default locale off where Next does: at the start', () => {
    expect(pageNames('/shop/en/admin', shop)).toEqual(expect.arrayContaining(['/en/admin', '/admin', '/shop/admin']))
    expect(pageNames('/docs/en/admin', { ...shop, basePath: '' })).toEqual([])
  })

  it('knows the page of data in any locale', () => {
    for (const path of ['/fr/shop/fr/_next/data/build/admin.json', '/fr/shop/fr/_next/data/build/de-AT/admin.json'])
      expect(pageNames(path, lost), path).toEqual(expect.arrayContaining(['/admin', '/shop/admin']))
    expect(pageNames('/shop/_next/data/build/fr.json', shop)).toEqual(expect.arrayContaining(['/', '/shop']))
    expect(pageNames('/shop/_next/data/build/fr/admin.json', shop)).toEqual(
      expect.arrayContaining(['/admin', '/shop/admin', '/fr/admin']),
    )
  })
})

it('takes no longer than the path is long', () => {
  const start = performance.now()
  for (const segment of ['/fr', '/_next/data', '/shop', '/', '/.segments/.segment', '.prefetch.rsc'])
    for (const url of [plain, shop, lost])
      expect(pageNames(segment.repeat(16_384 / segment.length), url).length).toBeLessThan(100)
  expect(performance.now() - start).toBeLessThan(1_000)
})
