import type { ServerLoad } from '@sveltejs/kit'

export const load: ServerLoad = () => ({ visitors: 'visitors of today: 42' })
