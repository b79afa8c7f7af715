import type { FastifyInstance } from 'fastify'
import type { Static } from '@sinclair/typebox'
import type { CircuitView, NotEjectedView, ProbeView, ProcessView } from './schemas/views.ts'

/** The part of a balancer's health check that is used here. */
export interface Prober {
  of(id: string): {
    readonly active:
      | {
          readonly state: string
          readonly since: number
          readonly consecutive: number
          readonly lastProbe: Static<typeof ProbeView> | undefined
        }
      | undefined
    readonly passive: { readonly notEjected: Static<typeof NotEjectedView> | null }
  }
  probe(id: string): Promise<Static<typeof ProbeView>>
}

/** Keeps a circuit open or closed until released. */
export interface Hold {
  release(): void
}

/** A circuit as a breaker reports it. */
export type Circuit = Omit<Static<typeof CircuitView>, 'changesIn' | 'until' | 'who' | 'instances'> & {
  readonly changesIn?: number | undefined
  readonly until?: number | undefined
  readonly who?: string | undefined
}

/** The part of a balancer's circuit breaker that is used here. */
export interface Breaker {
  of(id: string): Circuit
  readonly views: readonly Circuit[]
  hold(
    id: string,
    state: 'open' | 'closed',
    options?: { readonly ttl?: number; readonly reason?: string; readonly who?: string },
  ): Hold
  release(id: string): void
}

/** The decorators of @fastify/under-pressure. */
interface UnderPressure {
  isUnderPressure(): boolean
  memoryUsage(): Omit<Static<typeof ProcessView>, 'overloaded' | 'shed'>
}

/** The decorator `balancerShedding` of fastify-balancer: how many requests were refused because the process was overloaded. */
interface Shedding {
  readonly total: number
  /** Since when requests are being refused, in ms since the epoch. */
  readonly since: number | undefined
}

/** An extension that tells its options in force, as plain data without secrets. */
interface Configured {
  readonly shownOptions: unknown
}

/** In ms. */
const longestDelay = 3_600_000

/** Finds the optional plugins of a balancer. */
export class Extensions {
  readonly #app: FastifyInstance

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  /** The health check of a balancer. */
  prober(balancer: string): Prober | undefined {
    return this.#extension(balancer, 'health-check') as Prober | undefined
  }

  /** The circuit breaker of a balancer. */
  breaker(balancer: string): Breaker | undefined {
    return this.#extension(balancer, 'circuit-breaker') as Breaker | undefined
  }

  /** Load of the process, if @fastify/under-pressure is registered. */
  process(): Static<typeof ProcessView> | undefined {
    const app = this.#app
    if (!app.hasDecorator('memoryUsage') || !app.hasDecorator('isUnderPressure')) return undefined
    const underPressure = app as unknown as UnderPressure
    const { eventLoopDelay, eventLoopUtilized, heapUsed, rssBytes } = underPressure.memoryUsage()
    // Infinity if even the plugin's own timer was late; JSON cannot express that.
    const delay = Math.min(eventLoopDelay, longestDelay)
    const overloaded = underPressure.isUnderPressure()
    const { balancerShedding } = app as { readonly balancerShedding?: Shedding }
    const shed = balancerShedding?.total
    const load = { overloaded, eventLoopDelay: delay, eventLoopUtilized, heapUsed, rssBytes }
    return { ...load, ...(shed !== undefined && { shed }) }
  }

  /** The options in force of each extension that tells them, by its name. */
  options(balancer: string): Readonly<Record<string, unknown>> {
    const all = [...(this.#app.balancers.get(balancer)?.extensions ?? [])]
    const told = all.flatMap(([name, extension]) => {
      const { shownOptions } = (extension ?? {}) as Partial<Configured>
      return shownOptions === undefined ? [] : [[name, shownOptions] as const]
    })
    return Object.fromEntries(told)
  }

  /** Found in whatever scope it was registered. */
  #extension(balancer: string, name: string): unknown {
    return this.#app.balancers.get(balancer)?.extensions.get(name)
  }
}
