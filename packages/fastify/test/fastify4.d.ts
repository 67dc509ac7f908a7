// Fastify 4 under its alias. The types are those of Fastify 5; what the tests use is the same in both.
declare module 'fastify4' {
  export { default } from 'fastify'
}
