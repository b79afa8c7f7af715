import type { Backend } from '../backends/backend.ts'
import type { BackendSet } from '../backends/backend-set.ts'
import { maxAsked, type Picker, type PickRequest, type PolicyDetails } from './policy.ts'
import { viewOfVeto, type VetoView } from '../backends/veto.ts'

/** Why a backend is or is not used. */
export interface Explanation {
  /**
   * The id of the backend that would be picked; null when the request would wait or fail. A client bound to a backend
   * by the policy may be sent there while it drains, although it is not `eligible`.
   */
  readonly picked: string | null
  readonly panicking: boolean
  /** The policy, and what its choice for this request hangs on, e.g. the key. */
  readonly policy: { readonly name: string } & PolicyDetails
  readonly backends: readonly {
    readonly id: string
    /** Without any veto: healthy, and not taken out by an operator. */
    readonly available: boolean
    /** May be picked now: of the preferred priority, and available, or in panic mode without a hard veto. */
    readonly eligible: boolean
    readonly vetoes: readonly VetoView[]
    readonly inFlight: number
    readonly maxInFlight: number
    /** Most that may be in flight now: `maxInFlight`, or less with an adaptive limit. */
    readonly limit: number
    /** Open tunnels. */
    readonly tunnels: number
    /** What load-aware policies compare: requests in flight, recent failures, and tunnels by their weight. */
    readonly load: number
    readonly weight: number
    /** The share of its weight that is in effect during slow start. */
    readonly effectiveWeight: number
    readonly priority: number
    /** The figure that the policy compares, lower is better; null if it compares nothing. */
    readonly score: number | null
    /** What that figure is made of, or where the policy sees the backend; null if it tells nothing. */
    readonly details: PolicyDetails | null
  }[]
}

const hasRoom = ({ inFlight, limit }: Backend) => inFlight < limit

/** Like `Balancer.pick`, but without hooks, which may count calls. */
function wouldPick(
  available: readonly Backend[],
  picker: Picker,
  searched: number,
  request: PickRequest,
): Backend | undefined {
  for (let ahead = 0; ahead < maxAsked; ahead++) {
    const backend = picker.peek(request, ahead)
    if (backend === null) return undefined
    if (backend === undefined) break
    if (hasRoom(backend)) return backend
    // It would wait for the backend that its client is bound to.
    if (picker.bound?.(request) === backend) return undefined
  }
  const start = (searched + 1) % available.length
  const inTurn = [...available.slice(start), ...available.slice(0, start)]
  const open = inTurn.filter((backend) => picker.refuses?.(request, backend) !== true)
  return (open.length > 0 ? open : inTurn).find(hasRoom)
}

/** Changes nothing. `searched` is where the balancer's last search for a free backend ended. */
export function explain(
  { all, available, panicking }: BackendSet,
  policy: string,
  picker: Picker,
  searched: number,
  request: PickRequest,
): Explanation {
  const candidates = new Set(available)
  const picked = wouldPick(available, picker, searched, request)
  return {
    picked: picked?.id ?? null,
    panicking,
    policy: { ...picker.basis?.(request), name: policy },
    backends: all.map((backend) => ({
      id: backend.id,
      available: backend.available,
      eligible: candidates.has(backend),
      vetoes: backend.vetoes.map(viewOfVeto),
      inFlight: backend.inFlight,
      maxInFlight: backend.maxInFlight,
      limit: backend.limit,
      tunnels: backend.tunnels.size,
      load: backend.load,
      weight: backend.weight,
      effectiveWeight: backend.effectiveWeight,
      priority: backend.priority,
      score: candidates.has(backend) ? (picker.score?.(backend) ?? null) : null,
      details: picker.details?.(backend) ?? null,
    })),
  }
}
