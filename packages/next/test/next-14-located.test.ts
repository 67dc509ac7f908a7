import { locatedSuite } from './located-suite.ts'

locatedSuite({ version: '14.2.35', file: 'middleware', runtime: 'edge', located: 'plain' })
