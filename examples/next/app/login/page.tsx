import type { ReactNode } from 'react'
import { logIn } from './log-in.ts'

export default function Login(): ReactNode {
  return (
    <form action={logIn}>
      <input name="password" type="password" />
      <button type="submit">Log in</button>
    </form>
  )
}
