/** What a handler of the suite answers for headers, as `new Response` and `new Headers` take it: lists as a line for each. */
export function headerLines(headers: Readonly<Record<string, string | string[]>>): [name: string, value: string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((line): [string, string] => [name, line]),
  )
}
