// Koa 2 under its alias. The types are those of Koa 3; what the tests use is the same in both.
declare module 'koa2' {
  export { default } from 'koa'
}
