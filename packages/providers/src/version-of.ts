/** What `Provider.version` has to tell of: settings, and tables of scores in whatever order they are written. */
export function versionOf(settings: string, scores: Readonly<Record<string, number | undefined>> = {}): string {
  const entries = Object.entries(scores).filter(([, score]) => score !== undefined)
  if (entries.length === 0) return settings
  const table = entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, score]) => `${name}=${score}`)
  return `${settings};${table.join(',')}`
}
