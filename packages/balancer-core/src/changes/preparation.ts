import type { Backends } from '../backends/list/backends.ts'
import { faultsOfOptions, type BalancerOptions, type ParsedOptions } from '../options.ts'
import type { NamedPolicies } from '../picking/policies/named-policy.ts'
import type { Policy } from '../picking/policy.ts'
import { nextOptions } from './next-options.ts'
import type { Participation } from './participation.ts'
import { PreparedChange } from './prepared-change.ts'

/** What a change may require, and what else changes with it. */
export interface PrepareOptions {
  /** Do it although it leaves no usable backend, where there is one now. */
  readonly force?: boolean
  /** What is said of other plugins, each by its name, e.g. `health-check`; `false` switches one off. */
  readonly beside?: Readonly<Record<string, unknown>>
}

/** What of a balancer changes. */
interface Changing {
  readonly options: ParsedOptions
  readonly policy: Policy
  /** The policies that can be named. */
  readonly named: NamedPolicies
  readonly backends: Pick<Backends, 'takeTurn' | 'prepare'>
  readonly hooks: {
    participants(options: ParsedOptions, beside: Readonly<Record<string, unknown>>): readonly Participation[]
  }
  /** Puts everything but the list in force. */
  readonly apply: (options: ParsedOptions, policy: Policy) => void
}

/** See `Balancer.prepare`. What is current is asked for once it has its turn. */
export async function prepareChange(
  given: BalancerOptions,
  options: PrepareOptions | undefined,
  changing: () => Changing,
): Promise<PreparedChange> {
  const end = await changing().backends.takeTurn()
  try {
    return await prepared(given, options, changing(), end)
  } catch (error) {
    end()
    throw error
  }
}

async function prepared(
  given: BalancerOptions,
  { force = false, beside = {} }: PrepareOptions = {},
  { options: current, policy: before, named, hooks, backends, apply }: Changing,
  end: () => void,
): Promise<PreparedChange> {
  const { options, policy, faults, changes, cannot } = nextOptions(given, current, before, named)
  const participants = faults.length > 0 ? [] : hooks.participants(options, beside)
  const parts = { faults, changes, cannot, participants, list: undefined, apply: () => {}, end }
  // Those of the list are named as well.
  if (faults.length > 0 || participants.some((one) => one.faults.length > 0))
    return new PreparedChange({ ...parts, faults: faultsOfOptions(given, named) })
  try {
    const list = await backends.prepare(given?.backends ?? [], options, force)
    return new PreparedChange({
      ...parts,
      list,
      apply: () => apply({ ...options, backends: list.listed }, policy),
    })
  } catch (error) {
    return new PreparedChange({ ...parts, faults: [(error as Error).message] })
  }
}
