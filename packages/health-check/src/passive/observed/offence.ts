import type { ConsecutiveKind } from './consecutive.ts'

type OffenceKind = ConsecutiveKind | 'success-rate' | 'latency' | 'silence'

/** Why a backend is an outlier, in words and in numbers. */
export interface Offence {
  readonly kind: OffenceKind
  /** As one would say it. */
  readonly rule: string
  /** What it was held against: plain data. */
  readonly evidence: Readonly<Record<string, unknown>>
}
