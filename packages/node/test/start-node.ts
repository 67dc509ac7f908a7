import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { AdapterMount, AdapterRoute, AdapterServer, AdapterSetup } from '@ipguard/conformance'
import type { Guard, RequestHandle } from '@ipguard/core'
import { type CreateServer, listenAs } from '@ipguard/tools/adapters'
import { guardRequest } from '../src/index.ts'

/** An application of plain `node:http` for the suite: no framework, and an exact match of the path for a router. */
export function startNode(setup: AdapterSetup, create: CreateServer = createServer): Promise<AdapterServer> {
  const server = create({}, (req, res) => {
    handle(setup, req, res).catch(() => {
      res.statusCode = 500
      res.end()
    })
  })
  return listenAs(setup, server)
}

async function handle(setup: AdapterSetup, req: IncomingMessage, res: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(setup.before ?? {})) res.setHeader(name, value)
  let known: RequestHandle | undefined
  const pass = async (guard: Guard<never>, mount?: AdapterMount): Promise<boolean> => {
    const { refusal, handle } = await guardRequest(guard, req, res, optionsOf(mount))
    known = handle
    return refusal === undefined
  }
  for (const mount of setup.mounts) if (isUnder(mount.path, req.url) && !(await pass(mount.guard, mount))) return
  const route = setup.routes.find(({ method, path }) => method === req.method && path === req.url?.split('?')[0])
  if (route?.guard && !(await pass(route.guard))) return
  await answer(route, known, req, res)
}

function optionsOf(mount: AdapterMount | undefined): Parameters<typeof guardRequest<IncomingMessage, never>>[3] {
  const { facts, headers, exposeHeaders } = mount ?? {}
  return {
    ...(headers !== undefined && { headers }),
    ...(exposeHeaders !== undefined && { exposeHeaders }),
    ...(facts && { facts: (req) => facts((name) => req.headers[name]?.toString()) as never }),
  }
}

function isUnder(path: string, url = '/'): boolean {
  return path === '/' || url.startsWith(`${path}/`)
}

async function answer(
  route: AdapterRoute | undefined,
  known: RequestHandle | undefined,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { status, headers, chunks } = route
    ? await route.answer({ handle: known, readBody: () => text(req) })
    : { status: 404, headers: {}, chunks: [] }
  res.writeHead(status, headers)
  for (const chunk of chunks) res.write(chunk)
  res.end()
}
