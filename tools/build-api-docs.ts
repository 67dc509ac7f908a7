// The reference of every entry of every package, from the docstrings: `pnpm docs:api`. The settings are in `typedoc.json`.
import { spawnSync } from 'node:child_process'
import { entries, root } from '../test/workspace.ts'

const args = entries.flatMap(({ source }) => ['--entryPoints', source])
const { status, error } = spawnSync('typedoc', args, { cwd: root, stdio: 'inherit' })
if (error) throw error
process.exitCode = status ?? 1
