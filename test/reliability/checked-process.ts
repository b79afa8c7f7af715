// A balancer with health check and circuits in a process of its own, to be stopped and let go on. Arguments: the options
// of the core and of the health check, as JSON. It tells its port; asked, it answers what has become of its backends.
import balancer from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import Fastify from 'fastify'
import type { AddressInfo } from 'node:net'
import { LogLines } from '../support/log-lines.ts'

/** What has happened so far. */
export interface CheckedReport {
  /** What was ever held against a backend. */
  readonly objections: readonly string[]
  readonly outcomes: readonly Partial<Record<string, number>>[]
  /** Of each attempt that has failed: what was logged. */
  readonly errors: readonly string[]
  /** What was logged beside the lines of exchanges. */
  readonly messages: readonly string[]
}

const [options, checks] = process.argv.slice(2)
const lines = new LogLines()
const app = Fastify({ logger: lines })
await app.register(balancer, JSON.parse(options!) as object)
const objections: string[] = []
app.balancer.addHook('onBackendsChange', ({ all }) => {
  for (const { id, vetoes } of all) objections.push(...vetoes.map(({ by, reason }) => `${id}: ${by}, ${reason}`))
})
await app.register(healthCheck, JSON.parse(checks!) as object)
await app.register(circuitBreaker)
await app.listen({ port: 0, host: '127.0.0.1' })

function report(): CheckedReport {
  return {
    objections,
    outcomes: app.balancer.backends.map(({ outcomes }) => outcomes),
    errors: lines.exchanges
      .flatMap(({ attempts }) => attempts.map(({ error }) => error))
      .filter((error) => error !== undefined),
    messages: lines.all.filter((line) => !('outcome' in line)).map(({ msg }) => msg ?? ''),
  }
}

process.on('message', () => process.send!(report()))
process.on('disconnect', () => process.exit())
process.send!((app.server.address() as AddressInfo).port)
