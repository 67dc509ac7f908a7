import { guardApi } from '@ipguard/next/pages'
import { guard } from '../../guard.ts'

export default guardApi(guard, (_request, response, { decision }) => {
  response.json({ client: decision.client?.ip, limits: decision.limits })
})
