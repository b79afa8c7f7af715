import type { VetoView } from './views.ts'

/** A backend in an explanation. */
export interface ExplainedBackend {
  readonly id: string
  readonly available: boolean
  readonly vetoes: readonly VetoView[]
  readonly inFlight: number
  readonly maxInFlight: number
  /** Most that may be in flight now. */
  readonly limit: number
  readonly load: number
  readonly weight: number
  readonly effectiveWeight: number
  readonly priority: number
  readonly score: number | null
  /** What the score is made of, or where the policy sees the backend. */
  readonly details: PolicyDetails | null
}

/** What a policy tells, by name. */
export type PolicyDetails = Readonly<Record<string, string | number | boolean | null>>

/** Which backend a request would go to. */
export interface ExplanationView {
  readonly picked: string | null
  readonly panicking: boolean
  /** Its `name`, and what its choice for this request hangs on. */
  readonly policy: PolicyDetails
  readonly backends: readonly ExplainedBackend[]
}
