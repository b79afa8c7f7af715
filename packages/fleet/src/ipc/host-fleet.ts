import cluster from 'node:cluster'
import process from 'node:process'
import { FleetHost } from './fleet-host.ts'
import { environmentName } from './messages.ts'

/**
 * Makes this process the store of its workers, for a primary of `node:cluster` of one's own: call it before the first
 * `cluster.fork()`. The balancers in the workers then act as one.
 */
export function hostFleet(): FleetHost {
  // Workers inherit it.
  process.env[environmentName] = 'parent'
  const host = new FleetHost()
  cluster.on('fork', (worker) => host.serve(worker))
  return host
}
