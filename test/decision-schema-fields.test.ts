import ts from 'typescript'
import { expect, it } from 'vitest'
import { read } from './workspace.ts'

interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean
  readonly $defs: Readonly<Record<string, Schema>>
}

const text = read('docs/decision.schema.json')
const schema = JSON.parse(text) as Schema // decision-schema.test.ts holds that it is a schema
const DECISION = 'packages/core/src/policy/decision.ts'
const CLIENT = 'packages/core/src/client-ip/client.ts'

/** What an interface itself declares. */
function membersOf(file: string, name: string): readonly string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)
  const found = source.statements.find(
    (each): each is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(each) && each.name.text === name,
  )
  return found?.members.map((member) => member.name?.getText(source) ?? '') ?? []
}

it.each([
  ['Decision', schema, [...membersOf(DECISION, 'PolicyOutcome'), ...membersOf(DECISION, 'Decision')]],
  ['PolicyOutcome', schema.$defs.policyOutcome, membersOf(DECISION, 'PolicyOutcome')],
  ['LimitState', schema.$defs.limitState, membersOf(DECISION, 'LimitState')],
  ['ReputationEvidence', schema.$defs.reputation, membersOf(DECISION, 'ReputationEvidence')],
  ['ReputationVoice', schema.$defs.reputationVoice, membersOf(DECISION, 'ReputationVoice')],
  ['Client', schema.$defs.client, membersOf(CLIENT, 'Client')],
  ['ClientVia', schema.$defs.clientVia, membersOf(CLIENT, 'ClientVia')],
  ['Entry', schema.$defs.entry, membersOf('packages/core/src/store/entry.ts', 'Entry')],
])('the schema of a decision has every field of %s and no other', (_name, described, members) => {
  expect(Object.keys(described?.properties ?? {}).toSorted()).toEqual([...new Set(members)].toSorted())
})

it('the schema of a decision knows every kind of evidence', () => {
  const kinds = [...read(DECISION).matchAll(/readonly kind: '([a-z-]+)'/g)].map(([, kind]) => kind)
  expect(kinds.length).toBeGreaterThan(0)
  expect([...text.matchAll(/"const": "([a-z-]+)"/g)].map(([, kind]) => kind)).toEqual(kinds)
})

it('the schema of a decision closes every object', () => {
  expect(text.match(/"additionalProperties": false/g)).toHaveLength(text.match(/"type": "object"/g)?.length ?? 0)
})
