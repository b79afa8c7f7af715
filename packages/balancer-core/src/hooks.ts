import type { Attempt } from './attempt/attempt.ts'
import type { Backend } from './backends/backend.ts'
import type { BackendSet } from './backends/backend-set.ts'
import type { Verdict } from './backends/list/proposal.ts'
import type { Participation } from './changes/participation.ts'
import type { ParsedOptions } from './options.ts'

/**
 * Hooks that change what happens to requests, or keep count for this balancer. Those called during a request are
 * synchronous.
 */
export interface BalancerHooks {
  /**
   * May this attempt go to its backend now? `false`: another backend is tried. Must have no side effects, since the
   * attempt may not follow.
   */
  onPick: (attempt: Attempt) => boolean | void
  /**
   * The attempt starts; its headers may still be set. Each call is followed by one `onAttemptEnd`: release there what
   * you acquire here.
   */
  onAttemptStart: (attempt: Attempt) => void
  /** The final response headers have arrived. */
  onAttemptResponse: (attempt: Attempt) => void
  /**
   * The response of this attempt goes to the client, and no other attempt will follow unless a hook cancels this one. Its
   * `headers` may still be changed. Also told of a response that switches protocols. Not of failures that the balancer answers itself.
   */
  onResponse: (attempt: Attempt) => void
  /** Exactly once for each attempt that started; its `outcome` is set. */
  onAttemptEnd: (attempt: Attempt) => void
  /** The list was changed. Vetoes do not trigger this, so that a hook may place some. */
  onBackendsChange: (now: BackendSet, before: BackendSet) => void
  /** A backend was drained, put in maintenance, or made ready again: its `state` and its vetoes say so. */
  onOrder: (backend: Backend) => void
  /**
   * New backends are about to enter the set: place vetoes on them first, or refuse the change. `isAgreed`: another instance has
   * made it, and it cannot be refused any more.
   */
  onBackendsPropose: (
    candidates: readonly Backend[],
    isAgreed: boolean,
  ) => Promise<readonly Verdict[] | void> | readonly Verdict[] | void
  /**
   * The balancer's options are about to be these; may take part in that change, or refuse it. `beside` is what was said of
   * other plugins, each by its name.
   */
  onOptionsPropose: (options: ParsedOptions, beside: Readonly<Record<string, unknown>>) => Participation | void
}

/** @throws TypeError for what is not a part: JavaScript checks no types, and a hook that is async returns a promise */
function checked(part: Participation): Participation {
  const { faults, changes, commit, abandon } = (part ?? {}) as Partial<Participation>
  const areLists = Array.isArray(faults) && Array.isArray(changes)
  if (areLists && typeof commit === 'function' && typeof abandon === 'function') return part
  throw new TypeError('onOptionsPropose must return nothing, or an object with faults, changes, commit() and abandon()')
}

/** Reports what a participant throws once the change is decided: by then, nothing can be taken back. */
function guarded(part: Participation, report: (error: unknown) => void): Participation {
  const safely = (work: () => void) => () => {
    try {
      work()
    } catch (error) {
      report(error)
    }
  }
  return { ...part, commit: safely(() => part.commit()), abandon: safely(() => part.abandon()) }
}

/** The hooks of one balancer. If one throws, that is logged with its name, and the request goes on. */
export class Hooks {
  readonly onPick: BalancerHooks['onPick'][] = []
  readonly onAttemptStart: BalancerHooks['onAttemptStart'][] = []
  readonly onAttemptResponse: BalancerHooks['onAttemptResponse'][] = []
  readonly onResponse: BalancerHooks['onResponse'][] = []
  readonly onAttemptEnd: BalancerHooks['onAttemptEnd'][] = []
  readonly onBackendsChange: BalancerHooks['onBackendsChange'][] = []
  readonly onOrder: BalancerHooks['onOrder'][] = []
  readonly onBackendsPropose: BalancerHooks['onBackendsPropose'][] = []
  readonly onOptionsPropose: BalancerHooks['onOptionsPropose'][] = []
  readonly #report: (error: unknown, hook: string) => void

  constructor(report: (error: unknown, hook: string) => void) {
    this.#report = report
  }

  add<Name extends keyof BalancerHooks>(name: Name, hook: BalancerHooks[Name]): void {
    if (!Object.hasOwn(this, name)) throw new TypeError(`There is no hook '${name}'`)
    if (typeof hook !== 'function') throw new TypeError(`The hook '${name}' must be a function`)
    ;(this[name] as BalancerHooks[Name][]).push(hook)
  }

  remove<Name extends keyof BalancerHooks>(name: Name, hook: BalancerHooks[Name]): void {
    const hooks = this[name] as BalancerHooks[Name][]
    const index = hooks.indexOf(hook)
    if (index !== -1) hooks.splice(index, 1)
  }

  /** Calls every `onPick`; a thrown error does not count as refusal. */
  admits(attempt: Attempt): boolean {
    for (const hook of this.onPick) if (this.#call('onPick', hook, attempt) === false) return false
    return true
  }

  /** Calls every hook of that name. */
  tell(name: 'onAttemptStart' | 'onAttemptResponse' | 'onResponse' | 'onAttemptEnd', attempt: Attempt): void {
    for (const hook of this[name]) this.#call(name, hook, attempt)
  }

  /** What takes part in a change of the options; one that throws refuses it, and is reported if it throws later. */
  participants(options: ParsedOptions, beside: Readonly<Record<string, unknown>>): readonly Participation[] {
    return this.onOptionsPropose.flatMap((hook): Participation | readonly Participation[] => {
      const report = (error: unknown) => this.#report(error, `onOptionsPropose ${hook.name}`)
      try {
        const part = hook(options, beside)
        return part === undefined ? [] : guarded(checked(part), report)
      } catch (error) {
        report(error)
        return { faults: [`${hook.name}: ${(error as Error).message}`], changes: [], commit() {}, abandon() {} }
      }
    })
  }

  tellChange(now: BackendSet, before: BackendSet): void {
    for (const hook of this.onBackendsChange) this.#call('onBackendsChange', hook, now, before)
  }

  tellOrder(backend: Backend): void {
    for (const hook of this.onOrder) this.#call('onOrder', hook, backend)
  }

  #call<First, Second>(
    name: keyof BalancerHooks,
    hook: (first: First, second: Second) => unknown,
    first: First,
    second?: Second,
  ): unknown {
    try {
      const answer = hook(first, second as Second)
      // A hook that is async by mistake: it is not awaited, but its rejection must not crash the process.
      if (answer instanceof Promise) answer.catch((error: unknown) => this.#report(error, `${name} ${hook.name}`))
      return answer
    } catch (error) {
      this.#report(error, `${name} ${hook.name}`)
      return undefined
    }
  }

  /** Collects the verdicts of every `onBackendsPropose` on new backends. */
  async judge(candidates: readonly Backend[], isAgreed = false): Promise<readonly Verdict[]> {
    const verdicts = await Promise.all(
      this.onBackendsPropose.map(async (hook) => {
        try {
          return (await hook(candidates, isAgreed)) ?? []
        } catch (error) {
          this.#report(error, `onBackendsPropose ${hook.name}`)
          return []
        }
      }),
    )
    return verdicts.flat()
  }
}
