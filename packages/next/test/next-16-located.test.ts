import { locatedSuite } from './located-suite.ts'

locatedSuite({ version: '16.4.6', file: 'proxy', runtime: 'nodejs', located: 'plain' })
