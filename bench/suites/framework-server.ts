import { CONTENDERS, type CreateServer } from './frameworks/contender.ts'

/** One server in a process of its own: listens, and answers every message with the CPU it has used so far. */
const FRAMEWORKS: Readonly<Record<string, () => Promise<CreateServer>>> = {
  express: async () => (await import('./frameworks/express.ts')).createExpress,
  koa: async () => (await import('./frameworks/koa.ts')).createKoa,
  fastify: async () => (await import('./frameworks/fastify.ts')).createFastify,
  hono: async () => (await import('./frameworks/hono.ts')).createHono,
  node: async () => (await import('./frameworks/node.ts')).createNode,
}

const [framework = '', name] = process.argv.slice(2)
const create = await FRAMEWORKS[framework]?.()
const contender = CONTENDERS.find((each) => each === name)
if (!create || !contender) throw new Error(`There is no ${framework} with ${name}.`)

const server = await create(contender)
// A server waits for its turn while the others are asked, and its connections with it.
server.keepAliveTimeout = 0
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 })
})
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system })
})
process.once('disconnect', () => process.exit(0))
