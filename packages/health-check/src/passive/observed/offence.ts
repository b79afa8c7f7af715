import type { ConsecutiveKind } from './consecutive.ts'

type OffenceKind = ConsecutiveKind | 'success-rate' | 'latency' | 'silence'

/** Why a backend is an outlier, in words and in numbers. */
export interface Offence {
  readonly kind: OffenceKind
  /** In words. */
  readonly rule: string
  /** The evidence: plain data. */
  readonly evidence: Readonly<Record<string, unknown>>
}
