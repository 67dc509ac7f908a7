import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectedOfDemo } from './reference.ts'

const folder = new URL('..', import.meta.url)
const expected = expectedOfDemo()
const { limited, listed, banned, requests } = expected
let output = ''

/** The numbers in the first line that begins so. */
function numbersOf(start: string): number[] {
  const line = output.split('\n').find((each) => each.trimStart().startsWith(start)) ?? ''
  return (line.slice(line.indexOf(start) + start.length).match(/[\d,]+(?:\.\d+)?/g) ?? []).map((text) =>
    Number(text.replaceAll(',', '')),
  )
}

describe('the demo, run as its script does where there is no terminal', () => {
  beforeAll(async () => {
    const run = promisify(execFile)
    const { stdout, stderr } = await run(process.execPath, ['--conditions=@ipguard/source', 'demo.ts'], { cwd: folder })
    expect(stderr).toBe('')
    output = stdout
  })

  it('sees every request and every client of the log', () => {
    expect(requests).toBe(10_000)
    expect(output).toContain(
      `requests ${requests.toLocaleString('en')}, clients ${expected.clients.toLocaleString('en')}`,
    )
  })

  it.each([
    ['allowed', [200, requests - listed - limited - banned]],
    ['limited', [429, limited]],
    ['denied', [403, listed + banned]],
  ])('answers %s as often as a naive count says', (name, numbers) => {
    expect(numbersOf(`${name} `).slice(0, 2)).toEqual(numbers)
  })

  it.each([
    ['datacenters   denied', listed],
    ['entries       banned', banned],
    ['30-in-60s     rate-limited', limited],
    ['graylist ', expected.bans.graylist],
    ['blacklist ', expected.bans.blacklist],
  ])('counts "%s" as a naive scan does', (start, number) => {
    expect(numbersOf(start)[0]).toBe(number)
  })

  it('shows offenders with their tier and the end of their ban', () => {
    expect(output).toMatch(/\d+\.\d+\.\d+\.\d+ +\d+ +\d+ +blacklist +\d+ Jun 2015 \d\d:\d\d/)
  })

  it('tells how long a decision took', () => {
    expect(numbersOf('in the server')[0]).toBe(requests)
    expect(numbersOf('without HTTP')[0]).toBe(requests)
  })

  it('writes no line longer than 100 columns and no colours', () => {
    expect(output.split('\n').filter((line) => line.length > 100)).toEqual([])
    expect(output).not.toContain('\u001b')
  })
})
