import { startSite } from './start-site.ts'

const site = await startSite('198.51.100.0/24')

console.log(`A Worker on workerd: ${site.url}/`)
console.log('Ctrl-C ends it.')

const end = (): void => void site.stop().finally(() => process.exit())
process.once('SIGINT', end)
process.once('SIGTERM', end)
