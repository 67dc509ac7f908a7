/** Different addresses of one client that are looked up in an hour: who holds a /64 could else use up any quota alone. */
const ADDRESSES = 8
const HOUR = 3_600_000
/** Clients remembered at most; the one met first goes. */
const CLIENTS = 4_096

/** Answers whether an address of a client may be looked up. */
export function createClientBudget(): (client: string, ip: string, now: number) => boolean {
  const clients = new Map<string, { readonly since: number; readonly ips: Set<string> }>()
  return (client, ip, now) => {
    let known = clients.get(client)
    if (!known || now - known.since >= HOUR) {
      clients.delete(client)
      const [first] = clients.size >= CLIENTS ? clients.keys() : []
      if (first !== undefined) clients.delete(first)
      known = { since: now, ips: new Set() }
      clients.set(client, known)
    }
    if (known.ips.size >= ADDRESSES) return known.ips.has(ip)
    known.ips.add(ip)
    return true
  }
}
