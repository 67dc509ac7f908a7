'use server'

import { guardAction } from '@ipguard/next/action'
import { redirect } from 'next/navigation'
import { loginGuard } from '../../guard.ts'

export const logIn = guardAction(
  loginGuard,
  (_handle, form: FormData) => redirect(form.get('password') === 'open sesame' ? '/' : '/login?wrong'),
  ({ retryAfter }) => redirect(`/login?wait=${retryAfter}`),
)
