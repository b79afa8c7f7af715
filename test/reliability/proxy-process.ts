// A balancer in a process of its own, so that what it holds can be weighed apart from its clients and backends.
// Arguments: its options, as JSON. It tells its port; asked for a figure, it answers.
import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import type { AddressInfo } from 'node:net'

/** What the process holds at the moment. */
export interface Holdings {
  /** In bytes. */
  readonly rss: number
  readonly exchanges: number
  readonly waiting: number
  readonly inFlight: number
  /** Body bytes that have come from backends so far. */
  readonly received: number
  readonly outcomes: readonly Partial<Record<string, number>>[]
  /** What keeps the process alive, sorted. */
  readonly resources: readonly string[]
}

// Node opens these when something is piped for the first time; so they are open from the start.
void [process.stdout, process.stderr]

const app = Fastify()
await app.register(balancer, JSON.parse(process.argv[2]!) as BalancerOptions)
await app.listen({ port: 0, host: '127.0.0.1' })

function holdings(): Holdings {
  const { exchanges, queue, backends } = app.balancer
  return {
    rss: process.memoryUsage.rss(),
    exchanges,
    waiting: queue.length,
    inFlight: backends.reduce((sum, backend) => sum + backend.inFlight, 0),
    received: backends.reduce((sum, backend) => sum + backend.bytesReceived, 0),
    outcomes: backends.map(({ outcomes }) => outcomes),
    resources: process.getActiveResourcesInfo().sort(),
  }
}

process.on('message', (question) => {
  if (question === 'holdings') process.send!(holdings())
})
process.on('disconnect', () => process.exit())
process.send!((app.server.address() as AddressInfo).port)
