import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { entries, root } from './workspace.ts'

const child = join(import.meta.dirname, 'import-effects.child.ts')

/** Imports one entry in a process of its own where timers and randomness are watched; answers what was used. */
function effectsOf(specifier: string, source: string, step: 'import' | 'create'): readonly string[] {
  const args = ['--conditions=@ipguard/source', '--no-warnings', child, join(root, source), step]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: root })
  if (status !== 0) throw new Error(`${specifier}: ${stderr}`)
  return stdout.split('\n').filter((line) => line !== '')
}

describe('no timer starts and no randomness is drawn', () => {
  it.each(entries)('when $specifier is imported', ({ specifier, source }) => {
    expect(effectsOf(specifier, source, 'import')).toEqual([])
  })

  it('when a guard is created', () => {
    expect(effectsOf('@ipguard/core', 'packages/core/src/index.ts', 'create')).toEqual([])
  })

  it('but the watch sees both, also by the names of node: modules', () => {
    expect(effectsOf('probe', 'test/import-effects.probe.ts', 'import')).toEqual([
      expect.stringContaining('setTimeout'),
      expect.stringContaining('Math.random'),
      expect.stringContaining('crypto.randomUUID'),
      expect.stringContaining('node:crypto.randomBytes'),
      expect.stringContaining('node:timers.setInterval'),
    ])
  })
})
