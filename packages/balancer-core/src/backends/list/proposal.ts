import { inSlices, withoutSecrets } from '@fastify-balancer/option-schema'
import { isDeepStrictEqual } from 'node:util'
import { BadOptionsError, NobodyUsableError, RefusedBackendsError } from '../../errors.ts'
import type { HostNames } from '../../names/host-names.ts'
import { BackendList, itemsOf, settingsOf, type ParsedBackend } from '../backend-options.ts'
import { Backend } from '../backend.ts'
import { openPool } from '../pool.ts'
import type { BackendTls } from '../../connections/tls/backend-tls.ts'
import { SharedTls } from '../../connections/tls/shared-tls.ts'
import { poolOptionsOf, type PoolLimits, type PoolOptions } from '../pool-options.ts'
import type { VetoOptions } from '../veto.ts'

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
  /** Where it comes from: passed on to those who listen to the channel `balancer-core:backends:change`. */
  readonly cause?: unknown
}

/** A hook's verdict on a new backend: it enters with a veto, or the whole change is refused. */
export type Verdict =
  | { readonly backend: Backend; readonly veto: VetoOptions }
  | { readonly backend: Backend; readonly refusal: string }

/** Asks what new backends are like; `isAgreed`: see the hook `onBackendsPropose`. */
export type Judge = (newcomers: readonly Backend[], isAgreed: boolean) => Promise<readonly Verdict[]>

/** Options by which backends are opened. */
export interface OpeningOptions {
  readonly pool: PoolOptions
  readonly limits: Readonly<PoolLimits>
}

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
  /** That of each of `all` from then on. */
  readonly tls: readonly BackendTls[]
  readonly byId: ReadonlyMap<string, Backend>
  readonly newcomers: readonly Backend[]
  readonly verdicts: readonly Verdict[]
}

const none: Proposal = { listed: [], all: [], tls: [], byId: new Map(), newcomers: [], verdicts: [] }

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
  const refusals = refusalsIn(proposal)
  if (refusals.length > 0) return new RefusedBackendsError(refusals.join('; '))
  const faults = nobodyUsable(proposal, before, force)
  return faults.length === 0 ? undefined : new NobodyUsableError(faults)
}

/** The same for one who collects faults: what would be thrown, one line each. */
export function objectionsTo(proposal: Proposal, before: readonly Backend[], force: boolean): readonly string[] {
  const refusals = refusalsIn(proposal)
  if (refusals.length > 0) return refusals.map((refusal) => `backends: ${refusal}`)
  const faults = nobodyUsable(proposal, before, force)
  return faults.length === 0 ? [] : [`backends: no backend would be usable (${faults.join('; ')})`]
}

function refusalsIn({ verdicts }: Proposal): readonly string[] {
  return told(verdicts.flatMap((verdict) => ('refusal' in verdict ? `${verdict.backend.id}: ${verdict.refusal}` : [])))
}

function nobodyUsable(proposal: Proposal, before: readonly Backend[], force: boolean): readonly string[] {
  return force || !before.some(({ available }) => available) ? [] : told(hindrances(proposal))
}

/**
 * Where a list comes from: somebody proposes it here, other instances have agreed on it, or it was saved before a restart.
 */
export type ProposalOrigin = 'proposed' | 'agreed' | 'resumed'

/** Newcomers of a list that is proposed again: those whose options are the same are neither opened nor judged again. */
class Earlier {
  readonly #newcomers = new Map<string, { readonly backend: Backend; readonly listed: ParsedBackend }>()
  readonly #verdicts: readonly Verdict[]

  constructor({ all, listed, newcomers, verdicts }: Proposal) {
    const isNew = new Set(newcomers)
    for (const [index, backend] of all.entries())
      if (isNew.has(backend)) this.#newcomers.set(backend.id, { backend, listed: listed[index]! })
    this.#verdicts = verdicts
  }

  /** The one that is listed like this. It is not of the earlier list any more. */
  take(one: ParsedBackend): Backend | undefined {
    const earlier = this.#newcomers.get(one.id)
    if (earlier === undefined || !isDeepStrictEqual(earlier.listed, one)) return undefined
    this.#newcomers.delete(one.id)
    return earlier.backend
  }

  verdictsOn(backends: readonly Backend[]): readonly Verdict[] {
    const asked = new Set(backends)
    return this.#verdicts.filter(({ backend }) => asked.has(backend))
  }

  /** Closes those that nobody has taken. */
  dismiss(): Promise<void> {
    return inSlices([...this.#newcomers.values()], ({ backend }) => void backend.cut())
  }
}

/** Makes proposals: reads lists, opens newcomers, and lets hooks look at them. */
export class Proposals {
  readonly #names: HostNames
  readonly #tls = new SharedTls()
  readonly #judge: Judge

  constructor(names: HostNames, judge: Judge) {
    this.#names = names
    this.#judge = judge
  }

  open(
    listed: ParsedBackend,
    { pool, limits }: OpeningOptions,
    tls = this.#tls.of(listed.id, pool.tls, listed.tls),
  ): Backend {
    const { url, proxyProtocol } = listed
    const whereabouts = this.#names.whereaboutsOf(url, tls.optionsFor(false))
    const own = poolOptionsOf(listed, pool)
    const opened = openPool({ url, host: whereabouts.host, tls, proxyProtocol }, own, limits)
    const place = { ...whereabouts, tls, proxyProtocol }
    const backend = new Backend(listed.id, url, settingsOf(listed, pool), opened, place)
    backend.poolOptions = own
    return backend
  }

  /**
   * Works out what a list would be; `known` of it are taken as they are, `current` ones stay. Hooks look at newcomers unless
   * the list is `resumed`, or they have looked at them for the `earlier` list, in whose place this one is proposed; one that
   * other instances have `agreed` on is put in force whatever they say. @throws BadOptionsError
   */
  async make(
    wanted: unknown,
    known: ReadonlySet<unknown>,
    current: ReadonlyMap<string, Backend>,
    options: OpeningOptions,
    origin: ProposalOrigin = 'proposed',
    earlier: Proposal = none,
  ): Promise<Proposal> {
    const faults: string[] = []
    const list = new BackendList(options.pool, faults, known)
    await inSlices(itemsOf(wanted, faults), (item, index) => void list.read(item, index))
    if (faults.length > 0) throw new BadOptionsError(faults.map(withoutSecrets).join('; '))
    const listed = list.parsed
    const all: Backend[] = []
    const tlsOfAll: BackendTls[] = []
    const byId = new Map<string, Backend>()
    const before = new Earlier(earlier)
    const again: Backend[] = []
    const fresh: Backend[] = []
    await inSlices(listed, (one) => {
      const present = current.get(one.id)
      const isKept = present?.url === one.url && present.proxyProtocol === one.proxyProtocol
      const kept = isKept ? present : undefined
      const judged = kept === undefined ? before.take(one) : undefined
      const opened = kept ?? judged
      const tls = this.#tls.of(one.id, options.pool.tls, one.tls, opened?.tls)
      const backend = opened ?? this.open(one, options, tls)
      if (judged !== undefined) again.push(judged)
      else if (kept === undefined) fresh.push(backend)
      all.push(backend)
      tlsOfAll.push(tls)
      byId.set(one.id, backend)
    })
    await before.dismiss()
    const verdicts = fresh.length > 0 && origin !== 'resumed' ? await this.#judge(fresh, origin === 'agreed') : []
    return {
      listed,
      all,
      tls: tlsOfAll,
      byId,
      newcomers: [...again, ...fresh],
      verdicts: [...before.verdictsOn(again), ...verdicts],
    }
  }
}
