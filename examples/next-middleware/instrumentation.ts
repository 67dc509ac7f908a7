import { registerPeer } from '@ipguard/next/peer'

/** Next hides the address of the connection: this tells it to ipguard. */
export function register(): void {
  registerPeer()
}
