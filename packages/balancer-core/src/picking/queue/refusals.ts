/** Why a request was refused that could get no backend in time. */
export type QueueRefusal = 'queue-full' | 'queue-timeout' | 'queue-shed'

const reasons: ReadonlySet<string> = new Set<QueueRefusal>(['queue-full', 'queue-timeout', 'queue-shed'])

/** Is a request that failed in this way one that the queue refused? */
export function isRefusal(reason: string): reason is QueueRefusal {
  return reasons.has(reason)
}

/** Message of the channel `balancer-core:queue:change`, when a queue begins or ceases to refuse requests. */
export interface QueueRefusals {
  readonly refusing: boolean
  /** In ms since the epoch: when it began. */
  readonly since: number
  /** How many it has refused since then, in all and by their outcome. */
  readonly refused: number
  readonly reasons: Readonly<Partial<Record<QueueRefusal, number>>>
  /** How many wait now, and how many may. */
  readonly waiting: number
  readonly max: number
  /** Backends that may be picked, and how many of them are at their limit of requests in flight. */
  readonly eligible: number
  readonly busy: number
  /** As it stands in the log. */
  readonly text: string
}
