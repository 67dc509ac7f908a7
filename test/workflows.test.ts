import { globSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { read, root } from './workspace.ts'

const files = globSync('.github/workflows/*.yml', { cwd: root }).toSorted()

/** The jobs of a workflow by name, as the text under each. */
function jobs(text: string): ReadonlyMap<string, string> {
  const parts = text.slice(text.indexOf('\njobs:\n')).split(/^ {2}(?=[a-z]+:$)/m)
  return new Map(parts.slice(1).map((part) => [part.slice(0, part.indexOf(':')), part]))
}

describe.each(files)('%s', (file) => {
  const text = read(file)

  it('runs actions of others at one commit, with the version beside it', () => {
    const uses = [...text.matchAll(/uses: (\S+)(.*)/g)].filter(([, action]) => !action?.startsWith('./'))
    expect(uses.length).toBeGreaterThan(0)
    for (const [line] of uses) expect(line).toMatch(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  it('gives nothing by default, and every job what it needs', () => {
    expect(text).toMatch(/^permissions: \{\}$/m)
    for (const [name, job] of jobs(text)) expect(job, name).toMatch(/^ {4}permissions:\n {6}\w/m)
  })

  it('uses the pnpm of the repository, and no secret', () => {
    const { packageManager } = JSON.parse(read('package.json')) as { readonly packageManager: string }
    for (const [name] of text.matchAll(/pnpm@[\d.]+/g)) expect(name).toBe(packageManager)
    expect(text).not.toMatch(/secrets\.|NPM_TOKEN/)
  })
})

describe('a release', () => {
  const release = jobs(read('.github/workflows/release.yml'))

  it('passes the checks of every change first', () => {
    expect(release.get('check')).toContain('uses: ./.github/workflows/ci.yml')
    expect(read('.github/workflows/ci.yml')).toContain('run: bash .ci/run')
    expect(release.get('mode')).toContain('needs: check')
  })

  it('proves where it comes from, in the one job that builds nothing', () => {
    const trusted = [...release].filter(([, job]) => job.includes('id-token: write')).map(([name]) => name)
    expect(trusted).toEqual(['publish'])
    expect(release.get('publish')).toContain('PNPM_CONFIG_PROVENANCE: "true"')
    expect(release.get('publish')).not.toContain('build')
  })
})
