import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { read } from './workspace.ts'

/** Where the README describes which options: a heading, or the text of the table's first cell, and the interfaces it stands for. */
const TABLES: readonly (readonly [place: string, interfaces: readonly (readonly [file: string, name: string])[]])[] = [
  ['### createGuard', [['packages/core/src/guard/guard-options.ts', 'GuardOptions']]],
  ['### ipguard, second argument', [['packages/core/src/adapter/adapter-options.ts', 'AdapterOptions']]],
  ['### Every policy', [['packages/core/src/policy/policy.ts', 'PolicyOptions']]],
  ['### allow, deny, onlyAllow', [['packages/core/src/policy/lists.ts', 'ListPolicyOptions']]],
  ['### rateLimit', [['packages/core/src/policy/rate-limit.ts', 'RateLimitOptions']]],
  ['### policy', [['packages/core/src/policy/policy.ts', 'CustomPolicyOptions']]],
  ['### memoryStore', [['packages/store-memory/src/memory-store.ts', 'MemoryStoreOptions']]],
  ['### redisStore', [['packages/store-redis/src/redis-store-options.ts', 'RedisStoreOptions']]],
  ['### reputation', [['packages/core/src/policy/reputation-options.ts', 'ReputationOptions']]],
  ['### verifiedCrawlers', [['packages/core/src/crawler/crawler-options.ts', 'VerifiedCrawlersOptions']]],
  ['### feed', [['packages/providers/src/feeds/feed-options.ts', 'FeedOptions']]],
  ['## Reports', [['packages/core/src/report/report-options.ts', 'ReportsOptions']]],
  ['| tier option |', [['packages/core/src/store/ladder.ts', 'LadderTier']]],
  ['| ladder option |', [['packages/core/src/store/ladder.ts', 'LadderOptions']]],
]

/** Described with every policy, and so not again. */
const EVERYWHERE = new Set(['name', 'mode', 'when', 'onRefused'])

interface Option {
  readonly name: string
  /** The literal that its docstring's `@default` begins with: a number, a text, true or false. */
  readonly literal: string | undefined
}

function optionsOf(file: string, name: string): readonly Option[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)
  const found = source.statements.find(
    (each): each is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(each) && each.name.text === name,
  )
  if (!found) throw new Error(`${file} has no interface ${name}`)
  return found.members.map((member) => {
    const tag = ts.getJSDocTags(member).find((each) => each.tagName.text === 'default')
    const text = tag ? (ts.getTextOfJSDocComment(tag.comment) ?? '') : ''
    return {
      name: member.name?.getText(source) ?? '',
      literal: /^(?:'[^']*'|\d+(?:\.\d+)?|true|false)/.exec(text)?.[0],
    }
  })
}

/** The first table behind a place: the cells of its rows, without the first, by the option's name. */
function tableAt(place: string): ReadonlyMap<string, readonly string[]> {
  const readme = read('README.md')
  const start = readme.startsWith(place) ? 0 : readme.indexOf(`\n${place}`)
  if (start < 0) throw new Error(`The README has no "${place}"`)
  const [table = ''] = /^\|.*\n(?:\|.*\n)+/m.exec(readme.slice(start)) ?? []
  const rows = table.split('\n').flatMap((row) => {
    const [, first = '', ...cells] = row.split('|').map((cell) => cell.trim())
    const name = /^`(\w+)`$/.exec(first)?.[1]
    return name === undefined ? [] : [[name, cells.slice(0, -1)] as const]
  })
  return new Map(rows)
}

describe('the option tables of the README', () => {
  it.each(TABLES)('%s has every option and no other', (place, interfaces) => {
    const options = interfaces.flatMap(([file, name]) => optionsOf(file, name))
    const names = options.map(({ name }) => name)
    const expected =
      place === '### Every policy' ? names : names.filter((name) => !EVERYWHERE.has(name) || !isPolicy(interfaces))
    expect([...tableAt(place).keys()].toSorted()).toEqual(expected.toSorted())
  })

  it.each(TABLES)('%s says of each what it does and what its default is, in a few words', (place) => {
    const wrong = [...tableAt(place)].filter(
      ([, [what = '', value = '', ...more]]) => what === '' || value === '' || value.length > 80 || more.length > 0,
    )
    expect(wrong).toEqual([])
  })

  it.each(TABLES)('%s gives the defaults that the code documents', (place, interfaces) => {
    const table = tableAt(place)
    const wrong = interfaces
      .flatMap(([file, name]) => optionsOf(file, name))
      .filter(
        ({ name, literal }) => literal !== undefined && table.get(name)?.[1]?.includes(`\`${literal}\``) === false,
      )
    expect(wrong).toEqual([])
  })
})

function isPolicy(interfaces: readonly (readonly [file: string, name: string])[]): boolean {
  return interfaces.some(([file]) => file.includes('/policy/'))
}
