import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import fleet, { MemoryStore, type Store } from '@fastify-balancer/fleet'
import Fastify, { type FastifyInstance } from 'fastify'
import type { TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import metrics, { type MetricsOptions } from '../../src/index.ts'

/** How an instance is set up. */
export interface Setup {
  readonly balancer?: BalancerOptions
  readonly metrics?: () => MetricsOptions
}

/** A store of one instance that can be killed: from then on nothing of it arrives, and nothing reaches it. */
export class MortalStore implements Store {
  readonly #shared: MemoryStore
  #isDead = false

  constructor(shared: MemoryStore) {
    this.#shared = shared
  }

  /** `forgotten`: the others know at once that it is gone. */
  async kill(id: string, forgotten = true): Promise<void> {
    this.#isDead = true
    if (forgotten) await this.#shared.withdraw(id)
  }

  read: Store['read'] = (key) => this.#alive(() => this.#shared.read(key))
  list: Store['list'] = (prefix) => this.#alive(() => this.#shared.list(prefix))
  compareAndSet: Store['compareAndSet'] = (...args) => this.#alive(() => this.#shared.compareAndSet(...args))
  announce: Store['announce'] = (...args) => this.#alive(() => this.#shared.announce(...args))
  withdraw: Store['withdraw'] = (id) => this.#alive(() => this.#shared.withdraw(id))
  watch: Store['watch'] = (...args) => this.#shared.watch(...args)
  watchInstances: Store['watchInstances'] = (callback) => this.#shared.watchInstances(callback)
  publish: Store['publish'] = (...args) => void (this.#isDead || this.#shared.publish(...args))
  subscribe: Store['subscribe'] = (topic, callback) =>
    this.#shared.subscribe(topic, (message) => void (this.#isDead || callback(message)))
  close: Store['close'] = () => {}

  #alive<Value>(work: () => Promise<Value>): Promise<Value> {
    return this.#isDead ? Promise.reject(new Error('killed')) : work()
  }
}

/** One instance, and how to kill it. */
export interface Member {
  readonly app: FastifyInstance
  readonly id: string
  kill(forgotten?: boolean): Promise<void>
}

/** An instance that is not started, whose heartbeats are rare, so that tests do not hang on them. */
export async function member(id: string, shared: MemoryStore, setup: Setup = {}): Promise<Member> {
  const app = Fastify()
  const store = new MortalStore(shared)
  await app.register(fleet, { store, id, heartbeat: 60_000, divideLimits: false })
  await app.register(balancer, setup.balancer ?? { backends: [] })
  await app.register(metrics, setup.metrics?.() ?? {})
  return { app, id, kill: (forgotten) => store.kill(id, forgotten) }
}

/** Starts one. */
export async function startMember(t: TestContext, id: string, shared: MemoryStore, setup?: Setup): Promise<Member> {
  const started = await member(id, shared, setup)
  await listenApp(t, started.app)
  return started
}

/** Starts several, named `1`, `2`, …, one after the other. */
export async function startMembers(t: TestContext, count: number, setup?: Setup) {
  const shared = new MemoryStore()
  const members: Member[] = []
  for (let number = 1; number <= count; number++) members.push(await startMember(t, String(number), shared, setup))
  return { shared, members }
}
