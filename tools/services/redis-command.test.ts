import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseReply, redisCommand } from './redis-command.ts'
import { startRedis } from './start-redis.ts'

describe('parseReply', () => {
  it.each([
    ['a status', '+OK\r\n', 'OK'],
    ['a number', ':-3\r\n', -3],
    ['a text with line ends and letters of two bytes', '$5\r\na\r\né\r\n', 'a\r\né'],
    ['an empty text', '$0\r\n\r\n', ''],
    ['no text', '$-1\r\n', null],
    ['no array', '*-1\r\n', null],
    ['arrays in an array', '*3\r\n*1\r\n:1\r\n*0\r\n$1\r\nx\r\n', [[1], [], 'x']],
    ['an error in an array', '*2\r\n-ERR no\r\n:1\r\n', [new Error('ERR no'), 1]],
  ])('reads %s only when it is complete', (_what, text, value) => {
    const bytes = Buffer.from(text)
    expect(parseReply(bytes)).toEqual({ value, next: bytes.length })
    for (let length = 0; length < bytes.length; length++) expect(parseReply(bytes.subarray(0, length))).toBeUndefined()
  })

  it('refuses what no Redis server sends', () => {
    expect(() => parseReply(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toThrow('"HTTP/1.1 400 Bad Request"')
  })
})

describe('redisCommand', () => {
  it('gives arguments and replies as they are, also long ones', async () => {
    const redis = await startRedis()
    onTestFinished(redis.stop)
    const value = `é\r\n${'x'.repeat(300_000)}`
    expect(await redisCommand(redis.port, 'SET', 'key', value)).toBe('OK')
    expect(await redisCommand(redis.port, 'MGET', 'key', 'none')).toEqual([value, null])
    expect(await redisCommand(redis.port, 'INCRBY', 'count', 7)).toBe(7)
    await expect(redisCommand(redis.port, 'INCR', 'key')).rejects.toThrow('ERR value is not an integer')
  })

  it('rejects when the connection ends before a reply', async () => {
    const server = createServer((socket) => socket.end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    await expect(redisCommand(port, 'PING')).rejects.toThrow('closed before a reply')
  })
})
