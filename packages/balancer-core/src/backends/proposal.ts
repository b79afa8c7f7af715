import { NobodyUsableError, RefusedBackendsError } from '../errors.ts'
import type { ParsedBackend } from './backend-options.ts'
import type { Backend } from './backend.ts'
import type { VetoOptions } from './veto.ts'

/** Conditions of a change of the list. */
export interface ChangeOptions {
  /** Refuse the change unless the set is still at this revision. */
  readonly revision?: number
  /**
   * The list comes from before a restart, with this revision: the new revision is higher, and its backends are not
   * checked first.
   */
  readonly resumes?: number
  /** Apply it even if no usable backend is left. */
  readonly force?: boolean
  /** Check only: new backends are probed and errors are thrown as for the change itself, but nothing changes. */
  readonly dryRun?: boolean
}

/** A hook's verdict on a new backend: it enters with a veto, or the whole change is refused. */
export type Verdict =
  | { readonly backend: Backend; readonly veto: VetoOptions }
  | { readonly backend: Backend; readonly refusal: string }

/** Most faults that an error names: it is logged, and sent in HTTP responses. */
const mostTold = 20

function told(faults: readonly string[]): readonly string[] {
  const more = faults.length - mostTold
  return more > 0 ? [...faults.slice(0, mostTold), `and ${more} more`] : faults
}

/** A list that may replace the current one: its backends, which of them are new, and the verdicts on those. */
export interface Proposal {
  readonly listed: readonly ParsedBackend[]
  readonly all: readonly Backend[]
  readonly newcomers: readonly Backend[]
  readonly verdicts: readonly Verdict[]
}

/** Why no backend of the list is usable, one line for each; empty if one is. */
function hindrances({ all, verdicts }: Proposal): readonly string[] {
  const reasons = new Map<Backend, string>()
  for (const verdict of verdicts) if ('veto' in verdict) reasons.set(verdict.backend, verdict.veto.reason)
  const faults: string[] = []
  for (const backend of all) {
    const reason = reasons.get(backend) ?? backend.vetoes[0]?.reason
    if (reason === undefined) return []
    faults.push(`${backend.id}: ${reason}`)
  }
  return faults.length === 0 ? ['the list is empty'] : faults
}

/**
 * Why it must not replace `before`: a hook refuses it, or no usable backend would be left, which is allowed only with
 * `force`. If none was usable before, the second rule does not apply.
 */
export function refusalOf(proposal: Proposal, before: readonly Backend[], force: boolean): Error | undefined {
  const refusals = proposal.verdicts.flatMap((verdict) =>
    'refusal' in verdict ? `${verdict.backend.id}: ${verdict.refusal}` : [],
  )
  if (refusals.length > 0) return new RefusedBackendsError(told(refusals).join('; '))
  if (force || !before.some(({ available }) => available)) return undefined
  const faults = hindrances(proposal)
  return faults.length === 0 ? undefined : new NobodyUsableError(told(faults))
}
