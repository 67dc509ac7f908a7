import express from 'express'
import { fastify } from 'fastify'
import Koa from 'koa'
import { startExpress } from '../../../packages/express/test/start-express.ts'
import { startFastify } from '../../../packages/fastify/test/start-fastify.ts'
import { startKoa } from '../../../packages/koa/test/start-koa.ts'
import { startNode } from '../../../packages/node/test/start-node.ts'
import type { Start } from './run-suites.ts'

/** Adapters of frameworks that are written for `node:http`. */
export const frameworks: Readonly<Record<string, Start>> = {
  'node:http': startNode,
  express: startExpress(express),
  koa: startKoa(Koa),
  fastify: startFastify(fastify),
}
