// Room `views`: backends and balancers as responses show them.
import type { Backend, Balancer, Preview } from '@fastify-balancer/balancer-core'
import type { Static } from '@sinclair/typebox'
import type { Circuit, Extensions } from '../extensions.ts'
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
import { textOf, ViewTag, writeList, WrittenView, type Written } from './written-view.ts'

/** The public properties of a circuit. */
function circuitView({
  backend,
  state,
  since,
  reason,
  openings,
  trials,
  changesIn,
}: Circuit): Static<typeof CircuitView> {
  return { backend, state, since, reason, openings, trials, ...(changesIn !== undefined && { changesIn }) }
}

/** For how long the oldest tunnel of a backend has been open; nothing without any. */
function oldestTunnel({ clock }: Balancer, { tunnels }: Backend): Pick<BackendView, 'oldestTunnel'> {
  for (const { openedAt } of tunnels) return { oldestTunnel: Math.round(clock.now() - openedAt) }
  return {}
}

/** The text of an object that ends with a long list of this name, up to that. */
function beginning(rest: object, list: string): string {
  return `${JSON.stringify(rest).slice(0, -1)},"${list}":[`
}

/** Builds responses about balancers and backends. Long ones are built in slices, so that other requests run in between. */
export class Views {
  readonly #extensions: Extensions

  constructor(extensions: Extensions) {
    this.#extensions = extensions
  }

  backend(balancer: Balancer, backend: Backend): Written<BackendView> {
    const view = this.#backend(balancer, backend)
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
  ): Promise<Written<Static<typeof SetView>>> {
    const tag = new ViewTag(revision)
    const text = await this.#list({ revision }, balancer, all, tag)
    return new WrittenView(text, String(tag)) as Written<Static<typeof SetView>>
  }

  async balancer(balancer: Balancer): Promise<Written<Static<typeof BalancerView>>> {
    const { set } = balancer
    const summary = this.#summary(balancer)
    const revisions = revisionsOf(balancer).kept.map(({ revision, at, backends: { length } }) => ({
      revision,
      at,
      backends: length,
    }))
    const tag = new ViewTag(set.revision)
    const { exchanges, waiting, panicking, closing, totals } = summary
    if (exchanges > 0 || waiting > 0 || panicking || closing || totals.requests > 0) tag.add(JSON.stringify(summary))
    const { drainDeadline } = balancer.options
    const text = await this.#list({ ...summary, drainDeadline, revisions }, balancer, set.all, tag)
    return new WrittenView(text, String(tag)) as Written<Static<typeof BalancerView>>
  }

  balancers(balancers: Iterable<Balancer>): Static<typeof BalancersView> {
    const process = this.#extensions.process()
    return {
      balancers: [...balancers].map((balancer) => {
        const { all, available } = balancer.set
        return Object.assign(this.#summary(balancer), { backends: all.length, available: available.length })
      }),
      ...(process !== undefined && { process }),
    }
  }

  /** The answer of `explain`. */
  async explanation({
    backends,
    ...rest
  }: ReturnType<Balancer['explain']>): Promise<Written<Static<typeof ExplanationView>>> {
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

  #list(before: object, balancer: Balancer, backends: readonly Backend[], tag: ViewTag): Promise<string | Buffer> {
    const write = (backend: Backend) => {
      const view = this.#backend(balancer, backend)
      const text = textOf(BackendView, view)
      tag.see(view, text)
      return text
    }
    return writeList(beginning(before, 'backends'), backends, write, ']}')
  }

  #backend(balancer: Balancer, backend: Backend): BackendView {
    const { zone, ...view } = backend.toJSON()
    // A backend with the same id may have replaced it.
    const isPresent = balancer.has(backend)
    const circuit = isPresent ? this.#circuit(balancer, backend.id) : undefined
    const health = isPresent ? this.#health(balancer, backend) : undefined
    return {
      ...view,
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
    const active = this.#extensions.prober(name)?.of(id).active
    if (active === undefined) return undefined
    const { state, since, consecutive, lastProbe } = active
    return { state, since, consecutive, ...(lastProbe !== undefined && { lastProbe }) }
  }

  #summary({ name, policy, set, closing, exchanges, tunnels, queue, options, totals }: Balancer) {
    const { revision, panicking } = set
    const counts = {
      exchanges,
      tunnels: tunnels.size,
      waiting: queue.length,
      ...(queue.byClass && { waitingByClass: queue.byClass }),
      queueMax: options.queue.max,
      totals: totals.toJSON(),
    }
    return { name, policy: policy.name, revision, panicking, closing, ...counts }
  }
}
