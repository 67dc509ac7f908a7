import { type Guard, IpGuardError } from '@ipguard/express'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'

/** What operators do, on a port of its own that nginx does not lead to. Whichever process is asked, all of them do it. */
export function createAdmin(guard: Guard): Express {
  const admin = express()
  admin.disable('x-powered-by')
  admin.put('/bans/:address', async (req, res) => {
    res.json(await guard.ban(req.params.address, { for: '1h', reason: 'by hand' }))
  })
  admin.delete('/bans/:address', async (req, res) => {
    // What still covers the address, such as a ban of the whole network.
    res.json({ stillBanned: await guard.unban(req.params.address) })
  })
  admin.get('/status', async (_req, res) => {
    res.json(await guard.status())
  })
  // Four parameters make it an error handler.
  admin.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
    const known = error instanceof IpGuardError
    res.status(known ? 400 : 500).json(known ? { code: error.code, message: error.message } : {})
  })
  return admin
}
