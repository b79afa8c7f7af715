import type { Channel } from 'node:diagnostics_channel'

/** How many listen to a channel. Node only says whether there are any. */
export function subscribersOf(channel: Channel): number {
  return (channel as unknown as { _subscribers?: readonly unknown[] })._subscribers?.length ?? 0
}
