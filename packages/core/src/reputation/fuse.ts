/** One voice in the fusion. */
export interface Voice {
  readonly score: number
  readonly weight: number
  readonly confidence?: number | undefined
}

/**
 * One score from several: `100 * (1 - (1 - w1 * c1 * s1 / 100) * (1 - w2 * c2 * s2 / 100) * ...)`, rounded to two decimals; `added` are
 * scores of categories, with neither weight nor confidence.
 *
 * From 0 to 100, and no voice ever lowers it: a source that knows nothing bad does not clear what another one knows.
 */
export function fuse(voices: readonly Voice[], added: readonly { readonly score: number }[] = []): number {
  let clear = 1
  for (const { score, weight, confidence = 1 } of voices) clear *= 1 - (weight * confidence * score) / 100
  for (const { score } of added) clear *= 1 - score / 100
  // Rounded, as 100 * (1 - (1 - 0.57)) is less than 57.
  return Math.round(1e4 * (1 - clear)) / 100
}
