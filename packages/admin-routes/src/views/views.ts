import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import type { Static } from '@sinclair/typebox'
import type { Circuit, Extensions } from '../extensions.ts'
import { revisionsOf } from '../changes/revisions.ts'
import type {
  BackendView,
  BalancersView,
  BalancerView,
  CircuitView,
  ExplanationView,
  SetView,
} from '../schemas/views.ts'
import { toldVeto } from './evidence.ts'

/** What of a circuit is shown. */
export function circuitView({
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

/** What is shown of why a request goes where it goes. */
export function explanationView({
  backends,
  ...rest
}: ReturnType<Balancer['explain']>): Static<typeof ExplanationView> {
  return { ...rest, backends: backends.map((one) => Object.assign({ ...one }, { vetoes: one.vetoes.map(toldVeto) })) }
}

/** Builds what is shown of balancers and backends. */
export class Views {
  readonly #extensions: Extensions

  constructor(extensions: Extensions) {
    this.#extensions = extensions
  }

  backend(balancer: Balancer, backend: Backend): BackendView {
    return this.#backends(balancer, [backend])[0]!
  }

  /** One revision of the list; the current one, if none is given. */
  set(
    balancer: Balancer,
    { revision, all }: Pick<Balancer['set'], 'revision' | 'all'> = balancer.set,
  ): Static<typeof SetView> {
    return { revision, backends: this.#backends(balancer, all) }
  }

  balancer(balancer: Balancer): Static<typeof BalancerView> {
    const { kept } = revisionsOf(balancer)
    return {
      ...this.#summary(balancer),
      ...this.set(balancer),
      revisions: kept.map(({ revision, at, backends }) => ({ revision, at, backends: backends.length })),
    }
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

  #backends(balancer: Balancer, backends: readonly Backend[]): BackendView[] {
    const circuits = new Map(this.#extensions.breaker(balancer.name)?.views.map((one) => [one.backend, one]))
    const present = new Set(balancer.backends)
    return backends.map((backend) => {
      const { zone, ...view } = backend.toJSON()
      // Another may have come in its place.
      const isPresent = present.has(backend)
      const circuit = isPresent ? circuits.get(backend.id) : undefined
      const health = isPresent ? this.#health(balancer, backend) : undefined
      return {
        ...view,
        vetoes: view.vetoes.map(toldVeto),
        tags: [...view.tags],
        ...(zone !== undefined && { zone }),
        ...(circuit !== undefined && { circuit: circuitView(circuit) }),
        ...(health !== undefined && { health }),
      }
    })
  }

  #health({ name }: Balancer, { id }: Backend): BackendView['health'] {
    const active = this.#extensions.prober(name)?.of(id).active
    if (active === undefined) return undefined
    const { state, since, consecutive, lastProbe } = active
    return { state, since, consecutive, ...(lastProbe !== undefined && { lastProbe }) }
  }

  #summary({ name, policy, set, closing, exchanges, queue }: Balancer) {
    const { revision, panicking } = set
    return { name, policy: policy.name, revision, panicking, closing, exchanges, waiting: queue.length }
  }
}
