// The reference of every entry of every package, from the docstrings: `pnpm docs:api`. A warning is an error.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { entries, root } from '../test/workspace.ts'

const args = [
  ...['--tsconfig', 'tsconfig.json', '--out', join('.cache', 'api'), '--name', 'ipguard'],
  // README.md leads to files of the checkout; the reference stands alone.
  ...['--readme', 'none'],
  // Links to sources as they are on main, also from a checkout without a remote.
  ...['--disableGit', '--sourceLinkTemplate', 'https://github.com/ipguard/ipguard/blob/main/{path}#L{line}'],
  ...['--treatWarningsAsErrors', '--treatValidationWarningsAsErrors'],
  // Every type that a signature names is exported, and every link leads somewhere.
  ...['--validation.notExported', '--validation.invalidLink', '--validation.invalidPath'],
  ...entries.flatMap(({ source }) => ['--entryPoints', source]),
]
const { status, error } = spawnSync('typedoc', args, { cwd: root, stdio: 'inherit' })
if (error) throw error
process.exitCode = status ?? 1
