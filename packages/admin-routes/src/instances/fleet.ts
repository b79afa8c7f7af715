// Room `instances`: the processes that act as one: what they ask each other, and how their answers become one.
import type { FastifyInstance } from 'fastify'

/** Ends a subscription. */
type Unsubscribe = () => void

/** One process with the balancers, as it tells of itself. */
export interface Instance {
  readonly id: string
  readonly since: number
  readonly state: 'starting' | 'ready' | 'draining'
  readonly about: Readonly<Record<string, unknown>>
}

/** A value that all instances share. */
export interface Register<Value> {
  readonly newest: { readonly version: number; readonly value: Value } | undefined
  read(): Promise<{ readonly version: number; readonly value: Value } | undefined>
  change(make: (now: Value | undefined) => Value | undefined): Promise<{ readonly version: number } | undefined>
  onChange(callback: () => void): Unsubscribe
}

/** What ended instances have left behind; of those in `known`, the value of now is known. */
export interface Legacy<Value> {
  departed(known: ReadonlySet<string>): Promise<Value | undefined>
}

/** The list and the orders of one balancer, which all instances share. */
interface SharedList {
  inForce(): { readonly revision: number; readonly digest: string }
  readonly isFollowing: boolean
  caughtUp(): Promise<void>
  unconfirmed(): Promise<readonly string[]>
}

/** The part of `fastify.fleet`, of @fastify-balancer/fleet, that is used here. */
export interface Fleet {
  readonly id: string
  readonly instances: readonly Instance[]
  readonly others: readonly string[]
  readonly keeper: string | undefined
  readonly isKeeper: boolean
  onChange(callback: () => void): Unsubscribe
  onLeave(callback: () => unknown): Unsubscribe
  list(balancer: string): SharedList | undefined
  register<Value>(key: string): Register<Value>
  legacy<Value>(name: string, parts: { read(): Value; merge(one: Value, other: Value): Value }): Legacy<Value>
  publish(topic: string, message: unknown): void
  subscribe(topic: string, callback: (message: unknown, from: string) => void): Unsubscribe
  ask<Answer>(
    topic: string,
    question: unknown,
    options?: { readonly whom?: readonly string[]; readonly timeout?: number },
  ): Promise<{ readonly answers: ReadonlyMap<string, Answer>; readonly missing: readonly string[] }>
  answer(topic: string, answer: (question: unknown, from: string) => unknown): Unsubscribe
}

/** The instances that an app is one of; undefined if it is alone. */
export function fleetOf(app: FastifyInstance): Fleet | undefined {
  return (app as { readonly fleet?: Fleet | undefined }).fleet
}
