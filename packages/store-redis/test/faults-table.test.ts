import { expect, test } from 'vitest'
import { FAULT_CLIENTS } from './faults-client.ts'
import { BACK, BEYOND, GROWTH, UNANSWERED } from './faults-expect.ts'
import { FAULTS, readTable } from './faults-table.ts'

test('the README has a row for each fault and client, and its figures are inside the bounds', () => {
  const rows = readTable()
  expect(rows.map(({ fault, client }) => `${fault}, ${client}`)).toEqual(
    FAULTS.flatMap((fault) => FAULT_CLIENTS.map((client) => `${fault}, ${client}`)),
  )
  for (const row of rows) {
    expect(row.beyond, row.fault).toBeLessThanOrEqual(BEYOND)
    expect(row.back, row.fault).toBeLessThanOrEqual(BACK)
    expect(row.heap * 1000, row.fault).toBeLessThanOrEqual(GROWTH)
    expect(row.unanswered, row.fault).toBeLessThanOrEqual(UNANSWERED)
  }
})
