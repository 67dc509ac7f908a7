import { deny, policy, rateLimit } from '@ipguard/core'
import { type AdapterCase, asReply, replyTo } from './adapter-case.ts'
import type { AdapterSetup } from './adapter-driver.ts'

const HANDSHAKE = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'echo'],
] as const

/** Accepts, and answers a line with that line. */
function echoServer(): { readonly onUpgrade: NonNullable<AdapterSetup['onUpgrade']>; readonly count: () => number } {
  let count = 0
  return {
    count: () => count,
    onUpgrade(_request, socket, head) {
      count++
      let line = ''
      const hear = (data: Uint8Array): void => {
        if (line.endsWith('\n')) return
        line += new TextDecoder().decode(data)
        if (line.endsWith('\n')) socket.end(`echo ${line}`)
      }
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
      if (head.length > 0) hear(head)
      socket.on('data', hear)
    },
  }
}

export const upgradeCases: readonly AdapterCase[] = [
  {
    name: 'upgrade: one that is let in reaches its listener once, with what follows the handshake',
    needs: ['upgrade'],
    async run({ expect, guard, serve }) {
      const { onUpgrade, count } = echoServer()
      const { send } = await serve([guard({ policies: [rateLimit({ limit: 9, window: '1h' })] })], { onUpgrade })
      const answer = await send({ target: '/socket', headers: HANDSHAKE, early: 'early\n' })
      expect([answer.status, answer.body, count()]).toEqual([101, 'echo early\n', 1])
    },
  },
  {
    name: 'upgrade: nothing is lost while a decision takes time',
    needs: ['upgrade'],
    async run({ expect, guard, serve }) {
      const { onUpgrade } = echoServer()
      const slow = policy({ name: 'slow', evaluate: () => new Promise((resolve) => setTimeout(resolve, 0, undefined)) })
      const { send } = await serve([guard({ policies: [slow] })], { onUpgrade })
      const early = `${'early '.repeat(30_000)}\n`
      const answer = await send({ target: '/socket', headers: HANDSHAKE, early })
      expect([answer.status, answer.body === `echo ${early}`]).toEqual([101, true])
    },
  },
  {
    name: 'upgrade: a refused one is answered as reply() says, and its listener hears nothing',
    needs: ['upgrade'],
    async run({ expect, guard, serve }) {
      const { onUpgrade, count } = echoServer()
      const watched = guard({ policies: [deny(['0.0.0.0/0'])] })
      const { send } = await serve([watched], { onUpgrade })
      const answer = await send({ target: '/socket', headers: HANDSHAKE, early: 'early\n' })
      const reply = replyTo(watched, { target: '/socket', headers: HANDSHAKE })
      expect(asReply(answer, reply)).toEqual(reply)
      expect([answer.status, count()]).toEqual([403, 0])
    },
  },
  {
    name: 'upgrade: handshakes count as requests do',
    needs: ['upgrade'],
    async run({ expect, guard, serve }) {
      const { onUpgrade } = echoServer()
      const { send } = await serve([guard({ policies: [rateLimit({ limit: 2, window: '1h' })] })], { onUpgrade })
      const handshake = { target: '/socket', headers: HANDSHAKE, early: '\n' }
      expect([(await send(handshake)).status, (await send('/hello')).status, (await send(handshake)).status]).toEqual([
        101, 200, 429,
      ])
    },
  },
]
