export { suiteProxy } from './suite-proxy.ts'
export { suiteRoute } from './suite-route.ts'
