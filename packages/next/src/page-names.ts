/** As much of `NextURL` as is read. */
export interface NextUrl {
  readonly basePath: string
  /** Empty or undefined where the application has no `i18n`. */
  readonly locale: string
  readonly defaultLocale?: string | undefined
}

type Segments = readonly string[]

/**
 * Other paths for the page that a request is for: without the base path, without the locale, and what a data route of the pages router
 * (`/_next/data/<build>/fr/admin.json`) is data of.
 *
 * Next itself is of little help: behind a locale that is not the default its `nextUrl` neither takes the base path off nor knows data
 * routes, and it serves both. There the base path is whatever stands before the locale.
 */
export function pageNames(path: string, { basePath, locale, defaultLocale }: NextUrl): readonly string[] {
  const language = locale.toLowerCase()
  const start = splitPath(basePath)
  const sent = splitPath(path)
  const names = [sent]
  const add = (name: Segments): void => void names.push(name)

  const data = sent.findIndex((segment, i) => segment === '_next' && sent[i + 1] === 'data')
  if (data >= 0 && sent.length > data + 3) {
    const page = withoutEnd(sent.slice(data + 3), '.json')
    // The first segment may be a locale: which ones there are Next does not say.
    for (const rest of language === '' ? [page] : [page, page.slice(1)])
      for (const each of rest.join('/') === 'index' ? [rest, []] : [rest]) {
        add(each)
        add([...sent.slice(0, data), ...each])
      }
  }
  for (const name of [...names])
    if (start.length > 0 && start.every((segment, i) => name[i] === segment)) add(name.slice(start.length))
  for (const name of language === '' ? [] : [...names]) {
    const isLocale = (segment: string, i: number): boolean =>
      segment.toLowerCase() === language && (i === 0 || locale !== defaultLocale)
    if (name.some(isLocale)) add(name.filter((segment, i) => !isLocale(segment, i)))
    for (const [i, segment] of name.entries()) if (isLocale(segment, i)) add(name.slice(i + 1))
  }
  // A rule may name the base path or not.
  if (start.length > 0) for (const name of names.slice(1)) add([...start, ...name])
  return [...new Set(names.slice(1).map((name) => `/${name.join('/')}`))]
}

function splitPath(path: string): Segments {
  return path.split('/').slice(1)
}

function withoutEnd(segments: Segments, end: string): Segments {
  const last = segments.at(-1)
  return last?.endsWith(end) ? [...segments.slice(0, -1), last.slice(0, -end.length)] : segments
}
