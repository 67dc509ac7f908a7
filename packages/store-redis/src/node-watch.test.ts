import { expect, it } from 'vitest'
import { createNodeWatch } from './node-watch.ts'

function setting() {
  let time = 0
  const watch = createNodeWatch(() => time)
  const node = {}
  const calls: { answer: () => void; fail: () => void }[] = []
  return {
    watch,
    node,
    calls,
    send() {
      const call = new Promise<void>((resolve, reject) => {
        calls.push({ answer: resolve, fail: () => reject(new Error('lost')) })
      })
      watch.sent(node, call).catch(() => {})
    },
    at(ms: number) {
      time = ms
    },
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('a node is silent when a call waits for over 250 ms, and not while it answers others', async () => {
  const { watch, node, calls, send, at } = setting()
  expect(watch.silent(node)).toBe(false)
  send()
  send()
  at(250)
  expect(watch.silent(node)).toBe(false)
  calls[0]?.answer()
  await settled()
  at(500)
  expect(watch.silent(node)).toBe(false)
  at(501)
  expect(watch.silent(node)).toBe(true)
  calls[1]?.fail()
  await settled()
  expect(watch.silent(node)).toBe(false)
})

it('it is idle, not silent, when no call waits', async () => {
  const { watch, node, calls, send, at } = setting()
  send()
  calls[0]?.answer()
  await settled()
  at(10_000)
  expect(watch.silent(node)).toBe(false)
  send()
  expect(watch.silent(node)).toBe(false)
})

it('a silent one is tried once a second', () => {
  const { watch, node, send, at } = setting()
  send()
  const tried: number[] = []
  for (let ms = 300; ms <= 3_300; ms += 100) {
    at(ms)
    if (!watch.silent(node)) tried.push(ms)
  }
  expect(tried).toEqual([1_100, 2_200, 3_300])
})

it('other nodes, and calls that are for none, are nothing to it', async () => {
  const { watch, node, send, at } = setting()
  send()
  at(400)
  expect([watch.silent({}), watch.silent(node)]).toEqual([false, true])
  expect(await watch.sent(undefined, Promise.resolve('answer'))).toBe('answer')
})
