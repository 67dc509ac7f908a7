import { type Entry, IpGuardError, parsePrefix } from '@ipguard/core'

/** `IPGUARD-SNAPSHOT 1 <crc32> <time>` and a newline, then one entry of JSON a line. */
const HEADER = /^IPGUARD-SNAPSHOT 1 ([0-9a-f]{8}) (\d+)\n/

export function renderSnapshot(entries: readonly Entry[], now: number): Uint8Array {
  const body = entries.map((entry) => JSON.stringify(entry)).join('\n')
  const bytes = new TextEncoder().encode(body)
  const head = new TextEncoder().encode(`IPGUARD-SNAPSHOT 1 ${crc32(bytes)} ${Math.floor(now)}\n`)
  const out = new Uint8Array(head.length + bytes.length)
  out.set(head)
  out.set(bytes, head.length)
  return out
}

/** @throws {IpGuardError} `IPGUARD_SNAPSHOT_DAMAGED` when it is cut short, changed, or of another version. */
export function parseSnapshot(bytes: Uint8Array): Entry[] {
  const head = HEADER.exec(new TextDecoder().decode(bytes.subarray(0, 64)))
  if (!head) throw damaged('it has no header of a snapshot')
  const body = bytes.subarray(head[0].length)
  if (crc32(body) !== head[1]) throw damaged('it is cut short or changed')
  const text = new TextDecoder().decode(body)
  return text === '' ? [] : text.split('\n').map(parseEntry)
}

function parseEntry(line: string): Entry {
  const entry = JSON.parse(line) as Entry // written by renderSnapshot: the checksum holds
  parsePrefix(entry.cidr)
  return Object.freeze(entry)
}

function damaged(why: string): IpGuardError {
  return new IpGuardError('IPGUARD_SNAPSHOT_DAMAGED', why)
}

let table: Uint32Array | undefined

/** CRC-32 (IEEE 802.3), as hexadecimal. */
function crc32(bytes: Uint8Array): string {
  if (!table) {
    table = new Uint32Array(256)
    for (let n = 0; n < 256; n++) {
      let c = n
      for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
      table[n] = c
    }
  }
  let crc = 0xffffffff
  for (const byte of bytes) crc = (table[(crc ^ byte) & 255] as number) ^ (crc >>> 8) // masked to 256
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0')
}
