import { runCommand } from './run-command.ts'

/** What goes wrong when every entry is loaded in a project, by `import` and by `require`, each in a process of its own kind. */
export async function loadEntries(folder: string, entries: readonly string[]): Promise<readonly string[]> {
  const problems = await Promise.all([
    load(folder, 'module', entries, '(name) => import(name)'),
    // As on Node 20.18, where `require` cannot load a module of a dependency.
    load(folder, 'commonjs', entries, 'require', ['--no-experimental-require-module']),
  ])
  return problems.flat()
}

async function load(
  folder: string,
  type: 'commonjs' | 'module',
  entries: readonly string[],
  loader: string,
  flags: readonly string[] = [],
): Promise<readonly string[]> {
  const code = `
    const load = ${loader}
    const all = async () => {
      for (const name of ${JSON.stringify(entries)}) {
        try {
          if (Object.keys(await load(name)).length === 0) throw new Error('It exports nothing.')
        } catch (error) {
          console.log(name + ' as ${type}: ' + error)
        }
      }
    }
    void all()`
  const args = [...flags, '--no-warnings', `--input-type=${type}`, '--eval', code]
  const { status, output } = await runCommand(process.execPath, args, folder)
  const problems = output.split('\n').filter(Boolean)
  return status === 0 ? problems : [`Loading as ${type} ended with ${status}: ${output}`]
}
