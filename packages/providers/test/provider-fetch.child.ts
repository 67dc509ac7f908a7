// Run by provider-fetch.test.ts: asks once, and must then end by itself, with the connection kept alive.
import { providerFetch } from '../src/index.ts'

const answer = await providerFetch(process.argv[2] ?? '', { timeout: '30s' })
process.stdout.write(`${answer.status} ${answer.text}`)
