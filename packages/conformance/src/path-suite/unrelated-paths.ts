import { createRandom } from './random.ts'

const WORDS = [
  'users',
  'Public',
  'a',
  'x.json',
  'v1',
  'search',
  'admin',
  'mounted',
  'inner',
  'caf%C3%A9',
  '%7Euser',
  'b+c',
  'r-2_d',
]
const QUERIES = ['', '', '', '?q=1', '?next=/admin', '?path=/mounted/inner', '?a[]=%2Fadmin']

/** Request targets as visitors send them: near to the given paths, and none of them by any reading; each once. */
export function unrelatedPaths(paths: readonly string[], count: number, seed = 1): readonly string[] {
  const random = createRandom(seed)
  const found = new Set<string>()
  while (found.size < count) {
    const near = random.pick(paths)
    const word = random.pick(WORDS)
    const own = random.below(1_000_000).toString(36)
    const path = random.pick([
      `/${word}/${own}`,
      `${near}${own}`,
      `${near}-${word}`,
      `${near}/${own}`,
      `/${own}${near}`,
      `/${word}${near}`,
      `${near.slice(0, -1)}?${own}`,
      `${near.slice(0, -1)}/${own}/../${word}`,
      `/${own}/${word}/`,
      `/${own}//${word}`,
    ])
    found.add(path.includes('?') ? path : path + random.pick(QUERIES))
  }
  return [...found]
}
