import { spoken, type RefusalSpell } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'
import type { BackendSet } from '../backends/backend-set.ts'
import { channels } from '../channels.ts'
import type { QueueRefusal, QueueRefusals } from '../picking/queue/refusals.ts'

interface Queueing {
  readonly name: string
  readonly set: BackendSet
  readonly queue: { readonly length: number; readonly max: number }
}

/** `3 backends at their limit of 64` */
function limitsText(busy: BackendSet['available'], eligible: number): string {
  if (eligible === 0) return 'no backend in use'
  // Requests may be refused in bursts, and it is calm when they are summarised.
  if (busy.length === 0) return 'no backend at its limit now'
  const [first, ...others] = new Set(busy.map(({ limit }) => limit))
  const limit = first === undefined || others.length > 0 ? '' : ` of ${first}`
  return busy.length === 1 ? `1 backend at its limit${limit}` : `${busy.length} backends at their limit${limit}`
}

/** What it does, and to how many: one queue can be full, be slow and be overloaded at once. */
function stateText({ byKind }: RefusalSpell<QueueRefusal>): string {
  if (byKind['queue-full'] !== undefined) return 'full'
  return byKind['queue-shed'] === undefined ? 'too slow' : 'overloaded'
}

const counted = (count: number) => `${count} ${count === 1 ? 'request' : 'requests'}`

function textOf(spell: RefusalSpell<QueueRefusal>, name: string, state: string): string {
  const { phase, refused, duration, recent } = spell
  const queue = `queue of balancer ${name}`
  if (phase === 'ended') return `${queue} refuses no more requests: ${counted(refused)} refused in ${spoken(duration)}`
  const what = `${queue} ${stateText(spell)}: `
  if (phase === 'began') return `${what}requests are refused (${state})`
  return `${what}${counted(recent.refused)} refused in ${spoken(recent.duration)} (${state})`
}

/** Logs that a queue refuses requests: when it begins, every 10 s, and when it ends. Begin and end are also published. */
export function tellOfQueue(
  balancer: Queueing,
  spell: RefusalSpell<QueueRefusal>,
  log: FastifyBaseLogger | undefined,
): void {
  const { name, set, queue } = balancer
  const { phase, since, refused, byKind: reasons } = spell
  const busy = set.available.filter(({ inFlight, limit }) => inFlight >= limit)
  const eligible = set.available.length
  const text = textOf(spell, name, `max ${queue.max}, ${limitsText(busy, eligible)}`)
  const figures = { refused, reasons, waiting: queue.length, max: queue.max, eligible, busy: busy.length }
  if (phase === 'ended') log?.info({ balancer: name, ...figures }, text)
  else log?.warn({ balancer: name, ...figures }, text)
  if (phase === 'lasts' || !channels.queueChange.hasSubscribers) return
  const refusals: QueueRefusals = { refusing: phase === 'began', since, ...figures, text }
  channels.queueChange.publish({ balancer, refusals })
}
