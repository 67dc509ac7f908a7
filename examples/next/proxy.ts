import { ipguard } from '@ipguard/next'
import { guard } from './guard.ts'

// No `matcher`: what it leaves out is not guarded, and Next has more spellings of a path than one thinks of.
export const proxy = ipguard(guard)
