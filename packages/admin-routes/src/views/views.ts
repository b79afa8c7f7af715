// Room `views`: backends and balancers as responses show them.
import type { Backend, Balancer, Preview } from '@fastify-balancer/balancer-core'
import { inSlices } from '@fastify-balancer/option-schema'
import type { Static } from '@sinclair/typebox'
import type { Circuit, Extensions } from '../extensions.ts'
import type { AllElsewhere, Elsewhere, ToldBalancer, ToldViews, ViewQuestion } from '../instances/elsewhere.ts'
import { mergedLoad } from '../instances/merging/merged-balancer.ts'
import { revisionsOf } from '../changes/revisions.ts'
import { ExplanationView } from '../schemas/explanation.ts'
import {
  BackendView,
  CircuitView,
  PreviewView,
  type BalancersView,
  type BalancerView,
  type SetView,
} from '../schemas/views.ts'
import { toldVeto } from './evidence.ts'
import { beginning, textOf, ViewTag, writeList, WrittenView, type Written } from './written-view.ts'

/** The public properties of a circuit. */
function circuitView({
  backend,
  state,
  since,
  reason,
  openings,
  trials,
  changesIn,
  until,
  who,
}: Circuit): Static<typeof CircuitView> {
  return {
    backend,
    state,
    since,
    reason,
    openings,
    trials,
    ...(changesIn !== undefined && { changesIn }),
    ...(until !== undefined && { until }),
    ...(who !== undefined && { who }),
  }
}

/** How many backends may be picked now, and how many are healthy. */
export function countsOf({ all, available: eligible }: Balancer['set']) {
  const available = all.reduce((count, one) => count + Number(one.available), 0)
  return { backends: all.length, available, eligible: eligible.length }
}

/** The lists that can be rolled back to. */
function keptRevisions(balancer: Balancer): Static<typeof BalancerView>['revisions'] {
  return revisionsOf(balancer).kept.map(({ revision, at, backends: { length } }) => ({
    revision,
    at,
    backends: length,
  }))
}

/** For how long the oldest tunnel of a backend has been open; nothing without any. */
function oldestTunnel({ clock }: Balancer, { tunnels }: Backend): Pick<BackendView, 'oldestTunnel'> {
  for (const { openedAt } of tunnels) return { oldestTunnel: Math.round(clock.now() - openedAt) }
  return {}
}

/** Builds responses about balancers and backends. Long ones are built in slices, so that other requests run in between. */
export class Views {
  readonly #extensions: Extensions

  constructor(extensions: Extensions) {
    this.#extensions = extensions
  }

  /** `elsewhere`, here and below: what the other instances tell. */
  backend(balancer: Balancer, backend: Backend, elsewhere?: Elsewhere): Written<BackendView> {
    const own = this.#backend(balancer, backend, balancer.set.available.includes(backend))
    const view = elsewhere === undefined ? own : elsewhere.backend(own)
    const text = textOf(BackendView, view)
    const tag = new ViewTag(balancer.set.revision)
    tag.see(view, text)
    return new WrittenView(text, String(tag)) as Written<BackendView>
  }

  circuit(balancer: Balancer, circuit: Circuit): Written<Static<typeof CircuitView>> {
    const text = textOf(CircuitView, circuitView(circuit))
    const tag = new ViewTag(balancer.set.revision)
    tag.add(text)
    return new WrittenView(text, String(tag)) as Written<Static<typeof CircuitView>>
  }

  /** One revision of the list; by default the current one. */
  async set(
    balancer: Balancer,
    { revision, all }: Pick<Balancer['set'], 'revision' | 'all'> = balancer.set,
    elsewhere?: Elsewhere,
  ): Promise<Written<Static<typeof SetView>>> {
    const tag = new ViewTag(revision)
    const text = await this.#list({ revision }, balancer, all, tag, elsewhere)
    return new WrittenView(text, String(tag)) as Written<Static<typeof SetView>>
  }

  async balancer(balancer: Balancer, elsewhere?: Elsewhere): Promise<Written<Static<typeof BalancerView>>> {
    const { set } = balancer
    const own = this.#summary(balancer)
    const summary = elsewhere === undefined ? own : elsewhere.summary(own)
    const kept = keptRevisions(balancer)
    const revisions = elsewhere === undefined ? kept : elsewhere.revisions(kept)
    const tag = new ViewTag(set.revision)
    const { exchanges, waiting, panicking, closing, totals, queue } = summary
    const isUsed = exchanges > 0 || waiting > 0 || totals.requests > 0 || queue.refused > 0
    if (isUsed || panicking || closing) tag.add(JSON.stringify(summary))
    const { drainDeadline } = balancer.options
    const counts = countsOf(set)
    const { available, eligible } = elsewhere === undefined ? counts : elsewhere.counts(counts)
    const before = { ...summary, available, eligible, drainDeadline, revisions }
    const text = await this.#list(before, balancer, set.all, tag, elsewhere)
    return new WrittenView(text, String(tag)) as Written<Static<typeof BalancerView>>
  }

  balancers(balancers: Iterable<Balancer>, elsewhere?: AllElsewhere): Static<typeof BalancersView> {
    const own = this.#extensions.process()
    const process = elsewhere === undefined ? own : mergedLoad([own ?? [], elsewhere.loads].flat())
    const view = (balancer: Balancer) => {
      const summary = this.#summary(balancer)
      const counts = countsOf(balancer.set)
      const others = elsewhere?.of(balancer.name)
      return others === undefined ? { ...summary, ...counts } : { ...others.summary(summary), ...others.counts(counts) }
    }
    return { balancers: [...balancers].map(view), ...(process !== undefined && { process }) }
  }

  /** What another instance asks. */
  async told(balancers: ReadonlyMap<string, Balancer>, { balancer: name, backends }: ViewQuestion): Promise<ToldViews> {
    const asked = [...balancers.values()].filter((one) => name === undefined || one.name === name)
    const told = await Promise.all(asked.map(async (one) => [one.name, await this.#told(one, backends)] as const))
    return { balancers: Object.fromEntries(told), load: this.#extensions.process() }
  }

  /** The answer of `explain`. */
  async explanation({
    backends,
    ...rest
  }: ReturnType<Balancer['explain']> & { readonly instance?: string }): Promise<
    Written<Static<typeof ExplanationView>>
  > {
    const one = ExplanationView.properties.backends.items
    const text = await writeList(
      beginning(rest, 'backends'),
      backends,
      ({ vetoes, ...more }) => textOf(one, { ...more, vetoes: vetoes.map(toldVeto) }),
      ']}',
    )
    return new WrittenView(text) as Written<Static<typeof ExplanationView>>
  }

  /** What a list would change. */
  async preview({ added, removed, changed, faults }: Preview): Promise<Written<Static<typeof PreviewView>>> {
    const one = PreviewView.properties.changed.items
    const before = beginning({ added, removed, faults }, 'changed')
    const text = await writeList(before, changed, (change) => textOf(one, change), ']}')
    return new WrittenView(text) as Written<Static<typeof PreviewView>>
  }

  async #told(balancer: Balancer, which: ViewQuestion['backends']): Promise<ToldBalancer> {
    const { set } = balancer
    const eligible = new Set(set.available)
    const asked = set.all.filter(({ id }) => which === 'all' || (which !== 'none' && id === which.id))
    const backends: BackendView[] = []
    await inSlices(asked, (backend) => void backends.push(this.#backend(balancer, backend, eligible.has(backend))))
    return { summary: this.#summary(balancer), counts: countsOf(set), revisions: keptRevisions(balancer), backends }
  }

  #list(
    before: object,
    balancer: Balancer,
    backends: readonly Backend[],
    tag: ViewTag,
    elsewhere: Elsewhere | undefined,
  ): Promise<string | Buffer> {
    const eligible = new Set(balancer.set.available)
    const write = (backend: Backend) => {
      const own = this.#backend(balancer, backend, eligible.has(backend))
      const view = elsewhere === undefined ? own : elsewhere.backend(own)
      const text = textOf(BackendView, view)
      tag.see(view, text)
      return text
    }
    return writeList(beginning(before, 'backends'), backends, write, ']}')
  }

  #backend(balancer: Balancer, backend: Backend, eligible: boolean): BackendView {
    const { zone, ...view } = backend.toJSON()
    // A backend with the same id may have replaced it.
    const isPresent = balancer.has(backend)
    const circuit = isPresent ? this.#circuit(balancer, backend.id) : undefined
    const health = isPresent ? this.#health(balancer, backend) : undefined
    return {
      ...view,
      eligible,
      vetoes: view.vetoes.map(toldVeto),
      tags: [...view.tags],
      ...(zone !== undefined && { zone }),
      ...(circuit !== undefined && { circuit: circuitView(circuit) }),
      ...(health !== undefined && { health }),
      ...oldestTunnel(balancer, backend),
    }
  }

  /** Not every backend has a circuit. */
  #circuit({ name }: Balancer, id: string): Circuit | undefined {
    try {
      return this.#extensions.breaker(name)?.of(id)
    } catch {
      return undefined
    }
  }

  #health({ name }: Balancer, { id }: Backend): BackendView['health'] {
    const health = this.#extensions.prober(name)?.of(id)
    const notEjected = health?.passive.notEjected ?? undefined
    const told = notEjected === undefined ? {} : { notEjected }
    if (health?.active !== undefined) {
      const { state, since, consecutive, lastProbe } = health.active
      return { state, since, consecutive, ...(lastProbe !== undefined && { lastProbe }), ...told }
    }
    // Without probes its state is unknown.
    return notEjected && { state: 'unknown', since: notEjected.since, consecutive: 0, notEjected }
  }

  #summary({ name, policy, set, closing, exchanges, tunnels, queue, totals }: Balancer) {
    const { revision, panicking } = set
    const counts = {
      exchanges,
      tunnels: tunnels.size,
      waiting: queue.length,
      ...(queue.byClass && { waitingByClass: queue.byClass }),
      totals: totals.toJSON(),
      queue: {
        waiting: queue.length,
        max: queue.max,
        refused: queue.refused,
        ...(queue.refusingSince !== undefined && { refusingSince: queue.refusingSince }),
      },
    }
    return { name, policy: policy.name, revision, panicking, closing, ...counts }
  }
}
