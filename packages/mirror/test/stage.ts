import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyServerOptions } from 'fastify'
import type { TestContext } from 'node:test'
import { listenApp } from '../../../test/support/app.ts'
import { startBackend } from '../../../test/support/backend.ts'
import { until } from '../../../test/support/until.ts'
import mirror, { type CopyOutcome, type MirrorOptions } from '../src/index.ts'

/** A balancer with one backend, unless the options name others, and a mirror. */
export async function mirrored(
  t: TestContext,
  given: MirrorOptions,
  options: BalancerOptions = {},
  server: FastifyServerOptions = {},
) {
  const backend = await startBackend(t)
  const app = Fastify(server)
  await app.register(balancer, { backends: [backend.url], ...options })
  await app.register(mirror, given)
  const { url, port } = await listenApp(t, app)
  const view = (index = 0) => app.mirror.views[index]!
  /** The outcomes of all copies so far, without those that there were not. */
  const outcomes = (index = 0) => {
    const counted = Object.entries(view(index).outcomes).filter(([, count]) => count > 0)
    return Object.fromEntries(counted) as Partial<Record<CopyOutcome, number>>
  }
  /** Waits until no copy is in progress. */
  const idle = () => until('no copy is in progress', () => app.mirror.views.every(({ inFlight }) => inFlight === 0))
  return { app, url, port, backend, view, outcomes, idle }
}
