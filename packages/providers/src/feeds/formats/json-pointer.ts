/** The steps of a JSON pointer (RFC 6901): '/a~1b/0' is ['a/b', '0']. Undefined when it is none. */
export function parsePointer(pointer: unknown): readonly string[] | undefined {
  if (typeof pointer !== 'string' || !/^(\/([^~]|~[01])*)?$/.test(pointer)) return undefined
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** What a step leads to: own fields and items only, so that no name of a prototype is found. */
export function stepInto(value: unknown, step: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
  return (value as Readonly<Record<string, unknown>>)[step] // an own field, of whatever type
}

/** The value that a pointer without `*` leads to. */
export function valueAt(value: unknown, steps: readonly string[]): unknown {
  return steps.reduce(stepInto, value)
}
