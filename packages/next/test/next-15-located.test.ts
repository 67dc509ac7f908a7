import { locatedSuite } from './located-suite.ts'

locatedSuite({ version: '15.5.29', file: 'middleware', runtime: 'nodejs', located: 'raw' })
