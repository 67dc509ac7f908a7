import { nextSuite } from './next-suite.ts'

nextSuite({ version: '14.2.35', file: 'middleware', runtime: 'edge' })
