import type { Backend } from '../backends/backend.ts'
import type { Clock } from '../clock.ts'
import type { Outcome } from '../failure.ts'
import type { PickRequest } from './policy.ts'

/** A request that looks for a backend: an exchange. */
export interface Seeker extends PickRequest {
  readonly clock: Clock
  /** Where its client has signed in: it goes there, if it may. */
  readonly home?: Backend | undefined
  /** Where it has been. */
  readonly attempts: readonly {
    readonly backend: Backend
    /** The backend may have received it. */
    readonly started: boolean
    readonly startedAt: number
    readonly lastResort: boolean
    readonly outcome: Outcome | undefined
  }[]
}

/** Has it been sent there already? */
export function wasTried(backend: Backend, { attempts }: Seeker): boolean {
  return attempts.some((attempt) => attempt.backend === backend)
}
