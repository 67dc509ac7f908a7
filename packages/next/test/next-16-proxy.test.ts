import { nextSuite } from './next-suite.ts'

nextSuite({ version: '16.4.6', file: 'proxy', runtime: 'nodejs' })
