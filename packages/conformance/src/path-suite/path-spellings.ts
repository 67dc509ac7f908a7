import { createRandom, type Random } from './random.ts'

type Change = (path: string, random: Random) => string

/** Each makes one thing different that some router, proxy or file system somewhere takes for the same. */
const CHANGES: readonly Change[] = [
  (path, random) => letters(path, (letter) => (random.below(2) ? letter.toUpperCase() : letter)),
  (path, random) => letters(path, (letter) => (random.below(3) ? letter : escaped(letter, random))),
  (path, random) => letters(path, (letter) => escaped(letter, random)),
  (path, random) => at(path, random, (sign) => escaped(sign, random)),
  (path, random) => replaceOne(path, '%', random, () => '%25'),
  (path, random) => replaceOne(path, '/', random, () => random.pick(['//', '///', '/%2f', '%2f', '%2F/', '/;/', '/ '])),
  (path, random) => replaceOne(path, '/', random, () => random.pick(['\\', '/\\', '\\/', '%5c', '%5C', '/%5c'])),
  (path, random) =>
    replaceOne(path, '/', random, () => random.pick(['/./', '/%2e/', '/%2E/', '/.;/', '/.//', '/.%2f'])),
  (path, random) => replaceOne(path, '/', random, () => `/${random.pick(FOLDERS)}${random.pick(PARENTS)}`),
  (path, random) => replaceOne(path, '/', random, () => `${random.pick(PARAMETERS)}/`),
  (path, random) => path + random.pick(TAILS),
  (path, random) => random.pick(HEADS) + path,
  (path, random) => letters(path, (letter) => (random.below(3) ? letter : lookalike(letter))),
  (path, random) => insert(path, random, random.pick(SIGNS)),
]

const FOLDERS = ['', ...list('x public hello mounted a;b %70ublic x/y/.. .. . %2e %252e %3f %23 x%2fy x%5cy')]
const PARENTS = list('/../ /%2e%2e/ /.%2E/ /..;/ /..%2f /..\\ \\..\\ %2f../ %2f..%2f /../../')
const PARAMETERS = list('; ;x ;x=1 ;x=1;y=/ %3bx ;.')
const TAILS = [
  ...list('/ // /. /./ /x/.. /%2e . .. %2e %2f %5c \\ %00 %00.html %20 %09 %0a %0d%0a %c2%a0 %ef%bb%bf'),
  ...list("; ;x ;x=1/ %3b %3f %23 % %zz %u0000 + .json .html .rsc /index ~ : * | ^ ` { $ ! & = , @ ' ("),
]
const HEADS = [
  ...list('/ /. /%2f /x/.. /public/.. /public/../.. /.. /\\ /%00 /%20 /; /%2e%2e'),
  ...list('//localhost //h /localhost ///h /http://h /public /public; /public%00 /public%23 /public%3f'),
]
const ORIGINS = [
  ...list('http://localhost HTTP://LOCALHOST http://localhost:80 https://localhost http://u:p@h http://[::1]'),
  ...list('http://h.example ws://localhost file://h http://localhost/public/.. http://h/.. http://h?/public'),
]
const QUERIES = list('? ?/public ?/../public ?x=/../../public ?? ?%3f # #/public #? ?#/public')
const SIGNS = list(
  '/ \\ . ; : ? # % & = + ~ ! $ * ( ) [ ] { } | ^ " ` < > @ , _ - a Z 0 9 %2f %2e %00 %25 %ff %e9 %cc%87',
)

/**
 * Request targets that some server may take for `path`, without end, each once: case, escapes, dots, slashes, backslashes, parameters,
 * tails, other hosts, and all of them together. The same seed gives the same ones.
 *
 * @example
 * for (const target of pathSpellings('/admin', 7)) if (answers(target)) { ... }
 */
export function* pathSpellings(path: string, seed = 1): Generator<string, never> {
  const random = createRandom(seed)
  const seen = new Set<string>()
  for (;;) {
    let target = path
    for (let left = random.below(6); left > 0; left--) target = random.pick(CHANGES)(target, random)
    // No server that keeps to RFC 9112 takes a target that begins otherwise.
    if (!target.startsWith('/')) target = `/${target}`
    if (random.below(8) === 0) target = random.pick(ORIGINS) + target
    // A few thousand of the simplest ones hold even for the strictest of routers: those with a query of their own.
    if (random.below(4) === 0) target += `${random.pick(QUERIES)}${random.below(1_000_000).toString(36)}`
    target = target.replaceAll(' ', '%20') // ends a request line
    if (seen.has(target)) continue
    seen.add(target)
    yield target
  }
}

function list(words: string): readonly string[] {
  return words.split(' ')
}

function letters(path: string, change: (letter: string) => string): string {
  return path.replace(/(?<!%[0-9a-f]?)[a-z]/gi, change)
}

function at(path: string, random: Random, change: (sign: string) => string): string {
  const i = random.below(path.length)
  return path.slice(0, i) + change(path.charAt(i)) + path.slice(i + 1)
}

function insert(path: string, random: Random, text: string): string {
  const i = random.below(path.length + 1)
  return path.slice(0, i) + text + path.slice(i)
}

function replaceOne(path: string, sign: string, random: Random, text: () => string): string {
  const parts = path.split(sign)
  if (parts.length < 2) return path
  const i = 1 + random.below(parts.length - 1)
  return parts.slice(0, i).join(sign) + text() + parts.slice(i).join(sign)
}

/** Percent-encoded: as UTF-8, or (rarely) in forms that only lenient decoders read. */
function escaped(sign: string, random: Random): string {
  const code = sign.charCodeAt(0)
  const hex = code.toString(16).padStart(2, '0')
  const form = random.below(16)
  if (form === 0) return `%u00${hex}`
  if (form === 1) return `%c${(code >> 6) & 1}%${(0x80 | (code & 0x3f)).toString(16)}` // overlong
  if (form === 2) return `%25${hex}`
  return `%${form % 2 ? hex : hex.toUpperCase()}`
}

/** Of another script, and the same after some folding of case or of width. */
function lookalike(letter: string): string {
  const wide = String.fromCharCode(letter.charCodeAt(0) + 0xfee0)
  const other = { i: '\u0131', I: '\u0130', k: '\u212a', s: '\u017f' }[letter] ?? wide
  return encodeURIComponent(other)
}
