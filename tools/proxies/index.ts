export { type Forgery, forgeries } from './forgeries.ts'
export { findProxies, type ProxySuiteOptions, proxySuite } from './proxy-suite.ts'
