import { denoServe, protect } from '@ipguard/fetch'
import { handler } from './handler.ts'
import { guard } from './site.ts'

Deno.serve({ hostname: '127.0.0.1', port: Number(Deno.env.get('PORT') ?? 3000) }, protect(guard, handler, denoServe))
