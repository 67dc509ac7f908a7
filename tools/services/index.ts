export { findProgram, type Program, type ProgramName } from './find-program.ts'
export { freePort } from './free-port.ts'
export { type Nginx, type NginxOptions, startNginx } from './start-nginx.ts'
export { type ProcessOptions, type RunningProcess, startProcess } from './start-process.ts'
