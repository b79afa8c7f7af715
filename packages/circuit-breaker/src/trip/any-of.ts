import type { TripRule } from './trip-rule.ts'

/** Trips when one of its rules does; every rule counts every call. Without rules it never trips. */
export class AnyOf implements TripRule {
  readonly #rules: readonly TripRule[]

  constructor(...rules: readonly TripRule[]) {
    this.#rules = rules
  }

  record(failed: boolean, duration: number, at: number): string | undefined {
    let first: string | undefined
    for (const rule of this.#rules) {
      const reason = rule.record(failed, duration, at)
      first ??= reason
    }
    return first
  }

  reset(): void {
    for (const rule of this.#rules) rule.reset()
  }

  isSlow(duration: number): boolean {
    return this.#rules.some((rule) => rule.isSlow?.(duration) === true)
  }
}
