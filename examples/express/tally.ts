import type { Decision, Entry } from '@ipguard/express'

/** What happened to the requests of one policy, for one reason. */
export interface ReasonRow {
  readonly policy: string
  readonly reason: string
  requests: number
  readonly clients: Set<string>
}

/** What happened to one client. */
export interface ClientRow {
  readonly client: string
  requests: number
  refused: number
  /** The last ban that a ladder gave. */
  ban?: Entry
}

/** Counts what the guard says and what the clients were answered, apart from each other. */
export interface Tally {
  readonly clients: ReadonlyMap<string, ClientRow>
  readonly reasons: ReadonlyMap<string, ReasonRow>
  readonly statuses: ReadonlyMap<number, number>
  readonly bans: ReadonlyMap<string, number>
  decided(decision: Decision): void
  banned(ban: Entry): void
  answered(client: string, status: number): void
}

export function createTally(): Tally {
  const clients = new Map<string, ClientRow>()
  const reasons = new Map<string, ReasonRow>()
  const statuses = new Map<number, number>()
  const bans = new Map<string, number>()

  function rowOf(client: string): ClientRow {
    const row = clients.get(client) ?? { client, requests: 0, refused: 0 }
    clients.set(client, row)
    return row
  }

  return {
    clients,
    reasons,
    statuses,
    bans,
    decided({ action, policy = '', reason = '', client }) {
      if (action === 'allow') return
      const key = `${policy} ${reason}`
      const row = reasons.get(key) ?? { policy, reason, requests: 0, clients: new Set<string>() }
      reasons.set(key, row)
      row.requests++
      if (client) row.clients.add(client.ip)
    },
    banned(ban) {
      const tier = ban.tier ?? 'by hand'
      bans.set(tier, (bans.get(tier) ?? 0) + 1)
      // The log has IPv4 clients only, so a ban's prefix is one client.
      rowOf(ban.cidr.split('/')[0] ?? ban.cidr).ban = ban
    },
    answered(client, status) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const row = rowOf(client)
      row.requests++
      if (status === 403 || status === 429) row.refused++
    },
  }
}
