import { expect, test } from 'vitest'
import { type Circuit, createCircuit, type Pass } from './circuit.ts'

function enter(circuit: Circuit, now: number): Pass {
  const pass = circuit.enter(now)
  if (!pass) throw new Error('It is barred.')
  return pass
}

function opened(): Circuit {
  const circuit = createCircuit()
  for (let i = 0; i < 5; i++) circuit.failed(enter(circuit, 0), 0)
  return circuit
}

test('five failures in a row open it, and an answer between them starts anew', () => {
  const circuit = createCircuit()
  for (let i = 0; i < 4; i++) circuit.failed(enter(circuit, 0), 0)
  circuit.succeeded(enter(circuit, 0))
  for (let i = 0; i < 4; i++) circuit.failed(enter(circuit, 0), 0)
  expect(circuit.open).toBe(false)
  circuit.failed(enter(circuit, 0), 0)
  expect(circuit.open).toBe(true)
  expect(circuit.enter(0)).toBeUndefined()
})

test('after about 30 s one probe is let through, and only one', () => {
  const circuit = opened()
  expect(circuit.until).toBeGreaterThanOrEqual(27_000)
  expect(circuit.until).toBeLessThanOrEqual(33_000)
  expect(circuit.bars(circuit.until - 1)).toBe(true)
  expect(circuit.bars(circuit.until)).toBe(false)
  expect(circuit.enter(circuit.until)).toBe('probe')
  expect(circuit.bars(circuit.until)).toBe(true)
  expect(circuit.enter(circuit.until)).toBeUndefined()
})

test('a probe that was not made lets the next one through', () => {
  const circuit = opened()
  circuit.leave(enter(circuit, circuit.until))
  expect(circuit.enter(circuit.until)).toBe('probe')
})

test('a probe that is answered closes it, one that fails doubles the time, to ten minutes', () => {
  const circuit = opened()
  let before = 30_000
  for (let i = 0; i < 10; i++) {
    const now = circuit.until
    circuit.failed(enter(circuit, now), now)
    const length = circuit.until - now
    const expected = Math.min(before * 2, 600_000)
    expect(length).toBeGreaterThanOrEqual(expected * 0.9)
    expect(length).toBeLessThanOrEqual(expected * 1.1)
    before = expected
  }
  circuit.succeeded(enter(circuit, circuit.until))
  expect(circuit.open).toBe(false)
  for (let i = 0; i < 4; i++) circuit.failed(enter(circuit, 1e9), 1e9)
  expect(circuit.open).toBe(false)
})

test('what began before it opened neither closes it, nor ends its probe, nor counts as one', () => {
  const circuit = createCircuit()
  const passes = Array.from({ length: 8 }, () => enter(circuit, 0))
  for (const pass of passes.slice(0, 5)) circuit.failed(pass, 0)
  const { until } = circuit
  circuit.failed(passes[5] as Pass, 1000)
  expect(circuit.until).toBe(until)
  circuit.succeeded(passes[6] as Pass)
  expect(circuit.open).toBe(true)
  enter(circuit, until)
  circuit.leave(passes[7] as Pass)
  expect(circuit.enter(until)).toBeUndefined()
})

test('a refusal opens it until its own time', () => {
  const circuit = createCircuit()
  circuit.refuse(3_600_000)
  expect(circuit.bars(3_599_999)).toBe(true)
  expect(circuit.enter(3_600_000)).toBe('probe')
})
