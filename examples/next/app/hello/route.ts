import { ipguard } from '@ipguard/next'
import { guard } from '../../guard.ts'

/** The proxy has asked the guard already; here it hands over the decision. */
export const GET = ipguard(guard).route((_request, _context, { decision }) =>
  Response.json({ client: decision.client?.ip, limits: decision.limits }),
)
