import { isIP } from 'node:net'
import { parseAddress } from '@ipguard/core'
import ipaddr from 'ipaddr.js'
import { someAddresses } from '../harness/lists.ts'
import { type Contender, measure } from '../harness/measure.ts'
import { atLeast, medianOf, OURS, type Result, timingTable, type Verdict } from '../harness/result.ts'
import { parse4, parse6, words } from '../limit/parse.ts'

const MASK = 16_383
const LEAST = { v4: 8, v6: 15 }

/** Text to address: the first thing that every other suite pays for. */
export async function parseSuite(): Promise<Result> {
  const v4 = someAddresses(4, MASK + 1)
  const tables: Result['tables'][number][] = []
  const verdicts: Verdict[] = []
  for (const [form, texts] of [
    ['v4', v4],
    ['v6', someAddresses(6, MASK + 1)],
    ['mapped', v4.map((text) => Buffer.from(`::ffff:${text}`).toString('latin1'))],
  ] as const) {
    const timings = await measure(contenders(texts, form === 'v4'), { rounds: 9 })
    tables.push(timingTable(`Parse ${form === 'mapped' ? '::ffff:v4' : form}`, timings))
    if (form !== 'mapped') {
      const ratio = medianOf(timings, 'ipaddr.js parse') / medianOf(timings, OURS)
      verdicts.push(atLeast(`parse ${form}, against ipaddr.js`, ratio, LEAST[form]))
    }
  }
  const notes = [
    'From text to words; 16,384 different addresses. Limit: a hand parser that makes no object and takes no zone. net.isIP only says yes or no.',
  ]
  return { title: 'Parsing addresses', notes, tables, verdicts }
}

function contenders(texts: readonly string[], isV4: boolean): Contender[] {
  return [
    {
      name: OURS,
      run(count) {
        let sum = 0
        for (let i = 0; i < count; i++) {
          const address = parseAddress(texts[i & MASK] as string) // masked, here and below
          if (address) sum = (sum + address.a + address.d) | 0
        }
        return sum
      },
    },
    {
      name: 'ipaddr.js parse',
      run(count) {
        let sum = 0
        for (let i = 0; i < count; i++) sum += ipaddr.parse(texts[i & MASK] as string).kind().length
        return sum
      },
    },
    {
      name: 'net.isIP (verdict only)',
      run(count) {
        let sum = 0
        for (let i = 0; i < count; i++) sum += isIP(texts[i & MASK] as string)
        return sum
      },
    },
    isV4
      ? {
          name: 'limit',
          run(count) {
            let sum = 0
            for (let i = 0; i < count; i++) {
              const text = texts[i & MASK] as string
              if (parse4(text, 0, text.length) === text.length) sum = (sum + (words[0] ?? 0)) | 0
            }
            return sum
          },
        }
      : {
          name: 'limit',
          run(count) {
            let sum = 0
            for (let i = 0; i < count; i++) {
              const text = texts[i & MASK] as string
              if (parse6(text, 0, text.length) === text.length) sum = (sum + (words[0] ?? 0) + (words[3] ?? 0)) | 0
            }
            return sum
          },
        },
  ]
}
