import type { Policy } from './policy.ts'

/** A balancer's policy, attached to it until another takes its place. */
export class PolicyInForce<Host> {
  readonly #host: Host
  readonly #report: (error: unknown, policy: string) => void
  #policy: Policy
  /** Takes away what the policy has added. */
  #detach: (() => void) | undefined

  /** `report` is told what a policy throws when it is attached or detached: by then the change is decided. */
  constructor(host: Host, policy: Policy, report: (error: unknown, policy: string) => void) {
    this.#host = host
    this.#policy = policy
    this.#report = report
  }

  get policy(): Policy {
    return this.#policy
  }

  /** Lets it add its hooks and timers. */
  attach(): void {
    const { name } = this.#policy
    this.#safely(() => (this.#detach = this.#policy.attach?.(this.#host) ?? undefined), name)
  }

  /** Another one takes over, unless it is the same. */
  replace(policy: Policy): void {
    if (policy === this.#policy) return
    this.detach()
    this.#policy = policy
    this.attach()
  }

  detach(): void {
    const detach = this.#detach
    this.#detach = undefined
    if (detach !== undefined) this.#safely(detach, this.#policy.name)
  }

  #safely(work: () => void, name: string): void {
    try {
      work()
    } catch (error) {
      this.#report(error, name)
    }
  }
}
