import type { Static } from '@sinclair/typebox'
import type { ServerView } from '../../schemas/views.ts'
import { most, summed } from './sums.ts'

type Server = Static<typeof ServerView>

/** The state of all instances: they drain if all do, and then close connections when the last one does. */
export function mergedServer(all: readonly Server[]): Server {
  const drains = all.every(({ state }) => state === 'drain')
  const closesConnections = all.every((one) => one.closesConnections)
  const times = all.map(({ closesConnectionsAt }) => closesConnectionsAt)
  const exchanges = summed(all.map((one) => one.exchanges))
  return {
    state: drains ? 'drain' : 'ready',
    closesConnections,
    ...most('closesConnectionsAt', times),
    ...(drains && { closesApp: all.every(({ closesApp }) => closesApp === true) }),
    exchanges,
    tunnels: summed(all.map(({ tunnels }) => tunnels)),
    idle: exchanges === 0,
  }
}
