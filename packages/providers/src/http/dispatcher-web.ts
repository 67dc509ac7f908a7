/** Bun, Deno, edge runtimes and browsers: their `fetch` is used as it is. */
export async function dispatcher(): Promise<object | undefined> {
  return undefined
}
