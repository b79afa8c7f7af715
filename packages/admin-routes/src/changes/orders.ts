import type { Backend, Balancer } from '@fastify-balancer/balancer-core'

/** The `cause` of list changes that operators order through these routes. */
export const order = Symbol('admin-routes.order')

let underWay: Backend | undefined

/**
 * Carries out an operator's order about one backend. One event tells of it, the `admin` event: what is published meanwhile of
 * that backend's state and circuit says the same, see `isOrdered`.
 */
export function carryOut<Answer>(balancer: Balancer, backend: Backend, work: () => Answer): Answer {
  underWay = backend
  try {
    const answer = work()
    // Reading it publishes the changes of vetoes.
    void balancer.set
    return answer
  } finally {
    underWay = undefined
  }
}

/** Is an order about the backend with this id being carried out right now? */
export function isOrdered(id: string): boolean {
  return underWay?.id === id
}
