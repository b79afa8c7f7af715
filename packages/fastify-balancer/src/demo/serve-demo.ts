import type { Configuration } from '../configuration/configuration.ts'
import { serve } from '../server/serve.ts'
import { invitation, startDemo } from './demo.ts'

/** How long a demo backend stays away once it was stopped, in ms. */
const downtime = 10_000

/**
 * Balances three backends to play with, in place of those of a configuration, and says what to try.
 * @throws CommandError when it cannot begin
 */
export async function serveDemo(configuration: Configuration, warnings: readonly string[]): Promise<void> {
  const { backends } = await startDemo(downtime)
  const [balancer] = configuration.balancers
  const server = await serve({ ...configuration, balancers: [{ ...balancer, backends: [...backends] }] }, warnings)
  const [{ address }] = server.listeners
  if (address !== undefined) process.stdout.write(invitation(address, downtime))
}
