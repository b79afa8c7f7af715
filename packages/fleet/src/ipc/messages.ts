// Room `ipc`: the parent of worker processes is their store.

/** Under which name parents of ours tell their workers that they keep what these share. */
export const environmentName = 'FASTIFY_BALANCER_FLEET'

/** What stands there for workers that are to take the place of others; any other value is for all others. */
export const successorValue = 'successor'

/** The key by which messages of ours are told from others on the same channel. */
export const key = 'fastifyBalancerFleet'

/** A time that all processes of one machine share (ms): nobody sets that clock. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

/** What a worker asks of the store. A change is made until a time, and not later. */
export type Call =
  | { readonly method: 'read'; readonly args: readonly [key: string] }
  | { readonly method: 'list'; readonly args: readonly [prefix: string] }
  | {
      readonly method: 'set'
      readonly until: number
      readonly args: readonly [key: string, version: number, value: unknown]
    }
  | { readonly method: 'remove'; readonly until: number; readonly args: readonly [key: string, version: number] }
  | { readonly method: 'announce'; readonly args: readonly [instance: unknown, ttl: number] }
  | { readonly method: 'withdraw'; readonly args: readonly [id: string] }

/** From a worker to its parent. `number` is chosen by the worker. */
export type Request =
  | ({ readonly kind: 'call'; readonly number: number } & Call)
  | { readonly kind: 'watch' | 'subscribe'; readonly number: number; readonly name: string }
  | { readonly kind: 'instances'; readonly number: number }
  | { readonly kind: 'end'; readonly number: number }
  | { readonly kind: 'publish'; readonly topic: string; readonly message: unknown }

/** From the parent: the answer to a call, or what a subscription brings. */
export type Delivery =
  | { readonly kind: 'answer'; readonly number: number; readonly value?: unknown; readonly fault?: string }
  | { readonly kind: 'event'; readonly number: number; readonly value: unknown }

/** What a message holds that is one of ours. */
export function ours(message: unknown): unknown {
  return typeof message === 'object' && message !== null ? (message as Record<string, unknown>)[key] : undefined
}
