// Run by crowdsec-stream.test.ts: a stream that is started, asked and not closed. The process has to end by itself.
import { crowdsec } from '../src/crowdsec.ts'

const [, , url = '', key = ''] = process.argv
const provider = crowdsec({ url, key, mode: 'stream' })
await provider.start()
process.stdout.write(JSON.stringify(provider.lookup('1.2.3.4', { signal: new AbortController().signal })))
