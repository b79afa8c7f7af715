import type { Configuration } from '../configuration/configuration.ts'
import { serve } from '../server/serve.ts'
import { invitation, startDemo } from './demo.ts'

/** How long a stopped demo backend stays down, in ms. */
const downtime = 10_000

/**
 * Balances three demo backends instead of the configured ones, and prints what to try.
 * @throws CommandError if it cannot start
 */
export async function serveDemo(configuration: Configuration, warnings: readonly string[]): Promise<void> {
  const { backends } = await startDemo(downtime)
  const [balancer] = configuration.balancers
  const server = await serve({ ...configuration, balancers: [{ ...balancer, backends: [...backends] }] }, warnings)
  const [{ address }] = server.listeners
  if (address !== undefined) process.stdout.write(invitation(address, downtime))
}
