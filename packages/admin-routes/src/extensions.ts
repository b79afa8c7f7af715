import type { FastifyInstance } from 'fastify'
import type { Static } from '@sinclair/typebox'
import type { CircuitView, ProbeView, ProcessView } from './schemas/views.ts'

/** The health check of one balancer, as far as it is needed here. */
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
  }
  probe(id: string): Promise<Static<typeof ProbeView>>
}

/** Somebody holds a circuit. */
export interface Hold {
  release(): void
}

/** A circuit, with what else a breaker tells of it. */
export type Circuit = Omit<Static<typeof CircuitView>, 'changesIn'> & { readonly changesIn?: number | undefined }

/** The circuit breaker of one balancer, as far as it is needed here. */
export interface Breaker {
  of(id: string): Circuit
  readonly views: readonly Circuit[]
  hold(id: string, state: 'open' | 'closed', options?: { readonly ttl?: number; readonly reason?: string }): Hold
  release(id: string): void
}

/** @fastify/under-pressure, by what it decorates the app with. */
interface UnderPressure {
  isUnderPressure(): boolean
  memoryUsage(): Omit<Static<typeof ProcessView>, 'overloaded'>
}

/** In ms. */
const longestDelay = 3_600_000

/** The plugins that may stand beside a balancer. */
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

  /** How the process is, if somebody looks after it. */
  process(): Static<typeof ProcessView> | undefined {
    const app = this.#app
    if (!app.hasDecorator('memoryUsage') || !app.hasDecorator('isUnderPressure')) return undefined
    const underPressure = app as unknown as UnderPressure
    const { eventLoopDelay, eventLoopUtilized, heapUsed, rssBytes } = underPressure.memoryUsage()
    // Infinite when not even its timer came to be called; JSON has no word for that.
    const delay = Math.min(eventLoopDelay, longestDelay)
    const overloaded = underPressure.isUnderPressure()
    return { overloaded, eventLoopDelay: delay, eventLoopUtilized, heapUsed, rssBytes }
  }
  /** In whatever scope it was registered. */
  #extension(balancer: string, name: string): unknown {
    return this.#app.balancers.get(balancer)?.extensions.get(name)
  }
}
