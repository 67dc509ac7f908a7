import type { ServerLoad } from '@sveltejs/kit'

export const load: ServerLoad = ({ locals }) => ({ client: locals.ipguard?.decision.client?.ip })
