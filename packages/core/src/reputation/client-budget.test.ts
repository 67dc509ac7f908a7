import { expect, test } from 'vitest'
import { createClientBudget } from './client-budget.ts'

const HOUR = 3_600_000

test('eight addresses of one client an hour, and those again as often as wanted', () => {
  const may = createClientBudget()
  const asked = Array.from({ length: 20 }, (_, i) => may('net', `ip ${i}`, 0))
  expect(asked.filter(Boolean)).toHaveLength(8)
  expect(may('net', 'ip 7', 1)).toBe(true)
  expect(may('net', 'ip 8', HOUR - 1)).toBe(false)
  expect(may('other', 'ip 8', 1)).toBe(true)
  expect(may('net', 'ip 8', HOUR)).toBe(true)
})

test('a flood of clients does not make it grow: the first are forgotten', () => {
  const may = createClientBudget()
  for (let i = 0; i < 8; i++) may('net', `ip ${i}`, 0)
  for (let i = 0; i < 4095; i++) may(`net ${i}`, 'ip', 0)
  expect(may('net', 'more', 0)).toBe(false)
  may('net last', 'ip', 0)
  expect(may('net', 'more', 0)).toBe(true)
})
