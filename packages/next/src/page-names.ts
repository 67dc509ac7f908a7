/** As much of `NextURL` as is read. */
export interface NextUrl {
  readonly basePath: string
  /** Empty where the application has no `i18n`. */
  readonly locale: string
  readonly defaultLocale?: string | undefined
}

type Segments = readonly string[]

/** How often the locale may stand before the page: once where the client wrote it, and once where Next adds it. */
const MOST_LOCALES = 3

/**
 * Other paths for the page that a request is for: without the base path, without the locale, and what a data route is data of, be it of the
 * pages router (`/_next/data/<build>/fr/admin.json`) or of the app router (`/admin.segments/_tree.segment.rsc`).
 *
 * Next itself is of little help: behind a locale that is not the default its `nextUrl` neither takes the base path off nor knows data
 * routes, and it serves both. There the base path is whatever stands before the locale. Linear in the path's length.
 */
export function pageNames(path: string, url: NextUrl): readonly string[] {
  const base = split(url.basePath)
  const sent = split(path)
  const names = [sent, ...pagesOfData(sent, url), ...pagesOfParts(path)]
    .flatMap((name) => [name, ...withoutBase(name, base)])
    .flatMap((name) => (name.join('/') === 'index' ? [name, []] : [name]))
    .flatMap((name) => [name, ...withoutLocale(name, url)])
    // A rule may name the base path or not.
    .flatMap((name) => (base.length > 0 ? [name, [...base, ...name]] : [name]))
  const texts = new Set(names.map((name) => `/${name.join('/')}`))
  texts.delete(path)
  return [...texts]
}

/** Alone, and behind what stands before `_next`. */
function pagesOfData(sent: Segments, { locale }: NextUrl): readonly Segments[] {
  const at = sent.findIndex((segment, i) => segment === '_next' && sent[i + 1] === 'data')
  if (at < 0 || sent.length <= at + 3) return []
  const page = sent
    .slice(at + 3)
    .map((segment, i, all) => (i < all.length - 1 ? segment : segment.replace(/\.json$/, '')))
  // The first segment may be a locale: which ones there are Next does not say.
  const pages = locale === '' ? [page] : [page, page.slice(1)]
  const roots = pages.some((each) => each.join('/') === 'index') ? [[]] : []
  return [...pages, ...roots].flatMap((each) => [each, [...sent.slice(0, at), ...each]])
}

/**
 * A page whose parts a platform has under paths of their own: `/a.rsc`, `/a.prefetch.rsc` and, from Next 15, `/a.segments/b.segment.rsc`
 * (`server/normalizers/request` in Next). Next takes `.rsc` off before it asks the proxy. The root page is `/index` there.
 */
function pagesOfParts(path: string): readonly Segments[] {
  const part = path.endsWith('.rsc') ? path.slice(0, -'.rsc'.length) : path
  const end = part.endsWith('.segment') ? part.lastIndexOf('.segments/') : -1
  if (end >= 0) return [split(part.slice(0, end))]
  const page = part.endsWith('.prefetch') ? part.slice(0, -'.prefetch'.length) : part
  return page === path ? [] : [split(page)]
}

function withoutBase(name: Segments, base: Segments): readonly Segments[] {
  return base.length > 0 && base.every((segment, i) => name[i] === segment) ? [name.slice(base.length)] : []
}

/** What follows the locale, and all of it but the locale. The default one stands at the start only, where the client wrote it. */
function withoutLocale(name: Segments, { locale, defaultLocale }: NextUrl): readonly Segments[] {
  if (locale === '') return []
  const language = locale.toLowerCase()
  const places = name.flatMap((segment, i) =>
    segment.toLowerCase() === language && (i === 0 || locale !== defaultLocale) ? [i] : [],
  )
  if (places.length === 0) return []
  const first = places.slice(0, MOST_LOCALES)
  return [...first.map((place) => name.slice(place + 1)), name.filter((_, i) => !first.includes(i))]
}

function split(path: string): Segments {
  return path.split('/').slice(1)
}
