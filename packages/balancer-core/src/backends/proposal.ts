import { NobodyUsableError, RefusedBackendsError } from '../errors.ts'
import type { ParsedBackend } from './backend-options.ts'
import type { Backend } from './backend.ts'
import type { VetoOptions } from './veto.ts'

/** What a change of the list may require. */
export interface ChangeOptions {
  /** Refuse unless the set is still at this revision. */
  readonly revision?: number
  /** The list was in force until this revision, before a restart: the new one is above it, and no newcomer is judged. */
  readonly resumes?: number
  /** Do it although it leaves no usable backend, where there is one now. */
  readonly force?: boolean
  /** Only look: newcomers are checked, and what the change would throw is thrown, but nothing is changed. */
  readonly dryRun?: boolean
}

/** What a hook says of a newcomer before it enters the set: it enters with a veto, or the whole change is refused. */
export type Verdict =
  | { readonly backend: Backend; readonly veto: VetoOptions }
  | { readonly backend: Backend; readonly refusal: string }

/** So many are named in a refusal, which is logged, and answered over HTTP. */
const mostTold = 20

function told(faults: readonly string[]): readonly string[] {
  const more = faults.length - mostTold
  return more > 0 ? [...faults.slice(0, mostTold), `and ${more} more`] : faults
}

/** A list that may take the place of the current one: who is in it, who of them is new, and what was said of those. */
export interface Proposal {
  readonly listed: readonly ParsedBackend[]
  readonly all: readonly Backend[]
  readonly byId: ReadonlyMap<string, Backend>
  readonly newcomers: readonly Backend[]
  readonly verdicts: readonly Verdict[]
}

/** Why nobody of it could be used, one line for each; none if somebody could. */
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
 * Why it must not take the place of `before`: a hook refuses it, or it would take the last usable backend away, which nobody
 * means to do who does not say so. Where nobody was usable, there is nothing to lose.
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
