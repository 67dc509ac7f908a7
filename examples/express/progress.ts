import { date } from './report.ts'

const BAR = 30

/** One line that is written over and over on a terminal; elsewhere a line for every tenth. */
export function showProgress(done: number, total: number, at: number): void {
  const tenth = Math.floor((done * 10) / total)
  const all = total.toLocaleString('en')
  const sent = done.toLocaleString('en').padStart(all.length)
  const text = `${String(Math.floor((done * 100) / total)).padStart(3)} %   ${sent} of ${all} requests   ${date(at)}`
  if (process.stdout.isTTY) {
    // A hundred times in all is smooth enough, and costs nothing.
    if (done % Math.ceil(total / 100) !== 0 && done !== total) return
    const full = Math.round((done * BAR) / total)
    process.stdout.write(`\r  ${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${text}${done === total ? '\n' : ''}`)
  } else if (tenth !== Math.floor(((done - 1) * 10) / total)) console.log(`  ${text}`)
}
