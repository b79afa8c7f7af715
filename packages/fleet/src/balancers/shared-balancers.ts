// Room `balancers`: what the instances of one balancer have in common: its list with revisions, and the orders of operators.
import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import type { Fleet } from '../instances/fleet.ts'
import { SharedBalancer } from './shared-balancer.ts'

/** The balancers of an app that takes part in a fleet. */
export class SharedBalancers {
  readonly #fleet: Fleet
  readonly #app: FastifyInstance
  readonly #shared = new Map<Balancer, SharedBalancer>()

  constructor(fleet: Fleet, app: FastifyInstance) {
    this.#fleet = fleet
    this.#app = app
  }

  /** Nothing more is shared. */
  close(): void {
    for (const shared of this.#shared.values()) shared.close()
  }

  /** Takes what the others have agreed on, or begins with what is here; from then on, changes are agreed on. */
  async join(): Promise<void> {
    const balancers = [...this.#app.balancers.values()].filter((one) => !this.#shared.has(one))
    await Promise.all(
      balancers.map(async (balancer) => {
        const shared = new SharedBalancer(this.#fleet, balancer, this.#app.log)
        this.#shared.set(balancer, shared)
        await shared.join()
      }),
    )
  }
}
