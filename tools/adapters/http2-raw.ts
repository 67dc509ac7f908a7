import { connect } from 'node:net'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const GOAWAY = 7
/** END_STREAM and END_HEADERS. */
const WHOLE = 0x5

/** Asks for a path whose bytes a client of Node would write as UTF-8, over a connection of its own, and waits until that is answered or refused. */
export function askForBytes(port: number, path: Buffer): Promise<void> {
  const request = { ':method': 'GET', ':scheme': 'http', ':authority': 'localhost', ':path': path }
  const fields = Object.entries(request).map(([name, value]) => literal(Buffer.from(name), Buffer.from(value)))
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0)
    const socket = connect(port, '127.0.0.1')
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
        if ([HEADERS, RST_STREAM, GOAWAY].includes(bytes[at + 3] ?? 0)) socket.destroy()
      }
    })
    socket.write(PREFACE)
    socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)))
    socket.write(frame(HEADERS, WHOLE, 1, Buffer.concat(fields)))
  })
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A header field as HPACK writes it without its tables and codes (RFC 7541, 6.2.2); both parts are shorter than 127 bytes. */
function literal(name: Buffer, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0, name.length), name, Buffer.of(value.length), value])
}
