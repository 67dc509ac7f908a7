import { afterAll, beforeAll } from 'vitest'
import { type BuiltApp, buildApp } from './build-app.ts'
import type { NextApp } from './next-app.ts'
import { type RunningNext, startNext } from './start-next.ts'

/** An application that is built and started before the tests of a file, and stopped after them. */
export interface RunningApp {
  built(): BuiltApp
  running(): RunningNext
}

export function runApp(app: NextApp): RunningApp {
  let built: BuiltApp | undefined
  let running: RunningNext | undefined
  beforeAll(async () => {
    built = await buildApp(app)
    running = await startNext(built)
  }, 300_000)
  afterAll(() => running?.close())
  return { built: () => there(built), running: () => there(running) }
}

function there<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('Next has not started.')
  return value
}
