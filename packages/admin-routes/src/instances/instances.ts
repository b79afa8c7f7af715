import type { FastifyInstance } from 'fastify'
import { hostname } from 'node:os'
import process from 'node:process'
import { fleetOf, type Fleet, type Legacy } from './fleet.ts'
import { leftOf, mergedLeft, type Left } from './left.ts'

/** What the other instances have answered. */
export interface Gathered<Answer> {
  readonly answers: ReadonlyMap<string, Answer>
  /** Those that have not. */
  readonly missing: readonly string[]
}

/** How long the others may take to answer (ms). */
const patience = 1000

const nobody = { answers: new Map<string, never>(), missing: [] } as const

/** The instances that an app is one of. Alone, everything is known at once. */
export class Instances {
  /** The others, if there may be any. */
  readonly fleet: Fleet | undefined
  readonly #answered = new Set<string>()
  readonly #legacy: Legacy<Left> | undefined

  /** See `instancesOf`. */
  constructor(app: FastifyInstance) {
    const fleet = fleetOf(app)
    this.fleet = fleet
    this.#legacy = fleet?.legacy<Left>('admin-routes', { read: () => leftOf(app.balancers), merge: mergedLeft })
  }

  /** A name of this process, among those that serve the same clients: its host and its id. */
  get self(): string {
    return this.fleet?.id ?? `${hostname()}:${process.pid}`
  }

  /** Asks the others, or some of them, and waits at most 1 s, or as long as it is said. */
  async ask<Answer>(
    topic: string,
    question: unknown,
    whom?: readonly string[],
    timeout = patience,
  ): Promise<Gathered<Answer>> {
    const { fleet } = this
    if (fleet === undefined) return nobody
    return fleet.ask<Answer>(`admin-routes/${topic}`, question, { timeout, ...(whom !== undefined && { whom }) })
  }

  /** Answers questions of the others. Of several admin routes of one app, the first ones do: false for others. */
  answer(topic: string, answer: (question: never, from: string) => unknown): boolean {
    if (this.fleet === undefined || this.#answered.has(topic)) return false
    this.#answered.add(topic)
    this.fleet.answer(`admin-routes/${topic}`, (question, from) => answer(question as never, from))
    return true
  }

  /** What all other instances have counted, as far as it was saved: ended ones, and those that do not answer. */
  async left(answered: Iterable<string>): Promise<Left> {
    return (await this.#legacy?.departed(new Set([this.self, ...answered]))) ?? {}
  }
}

const byServer = new WeakMap<FastifyInstance['server'], Instances>()

/** The instances that an app is one of; shared if admin routes are registered several times. */
export function instancesOf(app: FastifyInstance): Instances {
  let instances = byServer.get(app.server)
  if (instances === undefined) byServer.set(app.server, (instances = new Instances(app)))
  return instances
}

/** Names of instances, in a header. */
export function headerOf(ids: readonly string[]): string {
  return ids.map((id) => encodeURI(id).replaceAll(',', '%2C')).join(', ')
}
