import type { Backend } from './backend.ts'
import type { BackendSet } from './backend-set.ts'
import type { Picker, PickRequest } from './policy.ts'

/** Why a backend is, or is not, used. */
export interface Explanation {
  /** The id of the backend that would be picked; null when the request would wait or fail. */
  readonly picked: string | null
  readonly panicking: boolean
  readonly backends: readonly {
    readonly id: string
    readonly available: boolean
    readonly vetoes: readonly { by: string; reason: string; hard: boolean; since: number }[]
    readonly inFlight: number
    readonly maxInFlight: number
    readonly load: number
    readonly weight: number
    readonly priority: number
    /** What the policy compares, lower being better; null where it compares nothing. */
    readonly score: number | null
  }[]
}

const hasRoom = ({ inFlight, maxInFlight }: Backend) => inFlight < maxInFlight

/** Looks, and leaves everything as it was. `searched` is where the balancer last looked for one with room. */
export function explain(
  { all, available, panicking }: BackendSet,
  picker: Picker,
  searched: number,
  request: PickRequest,
): Explanation {
  const candidates = new Set(available)
  const first = picker.peek(request)
  const picked =
    first === undefined || hasRoom(first)
      ? first
      : [...available.slice(searched + 1), ...available.slice(0, searched + 1)].find(hasRoom)
  return {
    picked: picked?.id ?? null,
    panicking,
    backends: all.map((backend) => ({
      id: backend.id,
      available: candidates.has(backend),
      vetoes: backend.vetoes.map(({ by, reason, hard, since }) => ({ by, reason, hard, since })),
      inFlight: backend.inFlight,
      maxInFlight: backend.maxInFlight,
      load: backend.load,
      weight: backend.weight,
      priority: backend.priority,
      score: candidates.has(backend) ? (picker.score?.(backend) ?? null) : null,
    })),
  }
}
