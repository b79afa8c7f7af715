import type { BackendOptions, ParsedBackend } from '../backend-options.ts'

/** A list that all instances agree on. */
export interface AgreedList {
  readonly revision: number
  readonly backends: readonly BackendOptions[]
  /** How long those that it no longer has may finish their requests (ms). Default: the option `drainDeadline`. */
  readonly deadline?: number | undefined
}

/** A list that is to take the place of the one with the revision `base`. */
export interface ListProposal {
  readonly listed: readonly ParsedBackend[]
  readonly base: number
  /** The revision is higher than this one, too. */
  readonly above: number
  readonly deadline?: number | undefined
  /**
   * It comes from the options. Instances that get the same options, one after the other, bring it once: what has been changed
   * since the first of them remains.
   */
  readonly isConfigured?: boolean
}

/** Where the balancers of several processes agree on one list. */
export interface ListAgreement {
  /** The `cause` of changes that other instances have made: see `ChangeOptions`. */
  readonly cause?: unknown
  /**
   * The list of the others, to be taken in place of the one here, which is theirs from now on if they have none; undefined if
   * the one here remains. @throws when the others cannot be reached
   */
  join(own: Pick<ListProposal, 'listed' | 'base'>): Promise<AgreedList | undefined>
  /**
   * Makes a list the next one for all, and answers its revision; or the newer list by another instance, which is to be
   * adopted first. @throws when the others cannot be reached
   */
  propose(proposal: ListProposal): Promise<{ readonly revision: number } | AgreedList>
  /** Resolves once a revision is in force in every instance, or once it is known which ones are late. */
  settled(revision: number): Promise<void>
}

/** Proposes a list; an instance that is alone agrees with itself. @throws as `ListAgreement.propose` does */
export async function agreeOn(
  agreement: ListAgreement | undefined,
  proposal: ListProposal,
): Promise<{ readonly revision: number; readonly newer?: AgreedList }> {
  if (agreement === undefined) return { revision: Math.max(proposal.base, proposal.above) + 1 }
  const agreed = await agreement.propose(proposal)
  return 'backends' in agreed ? { revision: agreed.revision, newer: agreed } : agreed
}
