import { startRedis } from '@ipguard/tools'
import { startSite } from './start-site.ts'

// A Redis that is there already by REDIS_URL; else one of its own, which keeps nothing.
const given = process.env.REDIS_URL
const redis = given === undefined ? await startRedis() : undefined
const site = await startSite(given ?? redis?.url ?? '')

console.log(`Redis      ${given ?? `${redis?.url}, process ${redis?.pid}`}`)
for (const { pid, adminUrl } of site.processes) console.log(`process    ${pid}, for operators ${adminUrl}`)
console.log(`nginx      ${site.url}/`)
console.log('\nCtrl-C ends all of them.')

async function end(): Promise<void> {
  await site.stop()
  await redis?.stop()
  process.exit()
}
process.once('SIGINT', () => void end())
process.once('SIGTERM', () => void end())
