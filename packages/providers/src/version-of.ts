import { settingsDigest } from './settings-digest.ts'

/** What `Provider.version` has to tell of: settings, and a digest of a table of scores, in whatever order it is written. */
export function versionOf(settings: string, scores: Readonly<Record<string, number | undefined>> = {}): string {
  const entries = Object.entries(scores).filter(([, score]) => score !== undefined)
  if (entries.length === 0) return settings
  return `${settings};${settingsDigest(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))}`
}
