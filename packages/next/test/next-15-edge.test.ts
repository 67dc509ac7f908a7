import { nextSuite } from './next-suite.ts'

nextSuite({ version: '15.5.29', file: 'middleware', runtime: 'edge' })
