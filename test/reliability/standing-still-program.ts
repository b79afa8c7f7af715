// A balancer with its checks in a process of its own, that can be stopped. Arguments: the origins of its backends. Tells its
// port; asked anything, it answers what its checks think.
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import type { AddressInfo } from 'node:net'
import { LogLines } from '../support/log-lines.ts'

/** What the checks think of the backends. */
export interface Opinions {
  /** Every judgement so far, in words. */
  readonly judgements: readonly string[]
  readonly circuits: readonly {
    readonly state: string
    readonly openings: number
    readonly failures: readonly unknown[]
  }[]
  readonly failures: readonly number[]
  readonly vetoes: readonly string[]
  /** What the log said about probes across a pause of this process. */
  readonly told: readonly string[]
}

const log = new LogLines()
const app = Fastify({ logger: log })
await app.register(balancer, {
  backends: process.argv.slice(2).map((url, index) => ({ id: `b${index}`, url })),
  healthCheck: {
    interval: 50,
    fastInterval: 50,
    // Longer than a slow machine lets anybody wait.
    timeout: 1500,
    fall: 1,
    outliers: {
      consecutive: { failures: 1, unreached: 1 },
      latency: { atLeast: 1000, minimumVolume: 5, minimumWaiting: 1 },
      maxEjected: 1,
    },
  },
  circuitBreaker: { failures: 1, rate: { calls: 10, minimumCalls: 1, slowAfter: 1500, slowShare: 0.1 } },
})
await app.listen({ port: 0, host: '127.0.0.1' })

function opinions(): Opinions {
  const views = app.healthCheck.toJSON()
  return {
    judgements: views.flatMap(({ id, history }) => history.map(({ by, rule }) => `${id} ${by}: ${rule}`)),
    circuits: app.circuitBreaker.views.map(({ state, openings, failures }) => ({ state, openings, failures })),
    failures: views.map(({ passive }) => passive.interval.failures + passive.lastInterval.failures),
    vetoes: app.balancer.backends.flatMap(({ id, vetoes }) => vetoes.map(({ by, reason }) => `${id} ${by}: ${reason}`)),
    told: log.all.flatMap(({ msg }) => (msg?.includes('probes do not count') === true ? [msg] : [])),
  }
}

process.on('message', () => process.send!(opinions()))
process.on('disconnect', () => process.exit())
process.send!((app.server.address() as AddressInfo).port)
