import type { Balancer, BackendOptions } from '@fastify-balancer/balancer-core'
import type { CustomProbe } from '@fastify-balancer/health-check'
import Fastify, { type FastifyInstance } from 'fastify'
import { setImmediate } from 'node:timers/promises'
import type { BalancerOptions } from '../../plugin/options.ts'
import { balancer as register } from '../../plugin/plugin.ts'
import type { Scenario, ScenarioBackend } from '../scenario/scenario.ts'
import type { ChosenPolicy } from '../scenario/simulated-options.ts'
import { Probes } from './probes.ts'
import { randomStream } from './random-stream.ts'
import { SimulatedServer } from './server.ts'
import { SimulatedClock } from './simulated-clock.ts'

/** Promises that depend on each other are all settled after so many turns: changes of a list take a few. */
const mostTurns = 20

/** What a backend of a scenario is to the balancer. No name is looked up, and nobody connects there. */
function listed({ id, weight, priority, maxInFlight, zone, tags }: ScenarioBackend, index: number): BackendOptions {
  return {
    id,
    url: `http://10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
    ...(weight !== undefined && { weight }),
    ...(priority !== undefined && { priority }),
    ...(maxInFlight !== undefined && { maxInFlight }),
    ...(zone !== undefined && { zone }),
    ...(tags !== undefined && { tags }),
  }
}

/**
 * A balancer with all that surrounds it, as `register` makes it, among simulated servers and in simulated time. It never
 * listens.
 */
export class Stage {
  readonly clock = new SimulatedClock()
  /** By the names of their backends; of one that has left and come again, the new one. */
  readonly #servers = new Map<string, SimulatedServer>()
  readonly #everyServer: SimulatedServer[] = []
  readonly #seed: number
  readonly #app: FastifyInstance
  readonly #probes = new Probes()
  #addresses = 0
  #changesUnderWay = 0
  /** The latest change of the list, done or not: each begins with what the one before it has left. */
  #latestChange: Promise<unknown> = Promise.resolve()

  private constructor(seed: number) {
    this.#seed = seed
    this.#app = Fastify({ logger: false })
  }

  /** Builds it, and lets health checks ask every backend once, as before a server listens. */
  static async open({ seed, balancer, backends }: Scenario, policy: ChosenPolicy): Promise<Stage> {
    const stage = new Stage(seed)
    const { healthCheck = {}, ...options } = balancer
    await stage.#app.register(register, {
      ...options,
      ...(healthCheck !== false && { healthCheck: stage.#checked(healthCheck) }),
      ...(healthCheck === false && { healthCheck }),
      policy: policy as NonNullable<BalancerOptions['policy']>,
      backends: backends.map((one) => stage.#enter(one)),
      clock: stage.clock,
      random: randomStream(seed, 'balancer'),
    })
    stage.#replacePools()
    stage.balancer.addHook('onBackendsPropose', (candidates) => {
      for (const candidate of candidates) candidate.pool = stage.#servers.get(candidate.id)!
    })
    await stage.#boot()
    return stage
  }

  get balancer(): Balancer {
    return this.#app.balancer
  }

  /** Requests that wait here or are at a server. */
  get inFlight(): number {
    const visits = this.#everyServer.reduce((sum, server) => sum + server.visits, 0)
    return visits - this.#probes.asking + this.balancer.queue.length
  }

  /** The traffic begins. */
  start(): void {
    this.clock.start()
    for (const server of this.#servers.values()) server.start()
  }

  /** Lets everything that was caused by what has just happened follow, before the next thing does. */
  settle(): Promise<unknown> | undefined {
    const { set, queue } = this.balancer
    if (this.#changesUnderWay > 0 || this.#probes.hasEnded || this.clock.hasRung) {
      this.#probes.hasEnded = false
      this.clock.hasRung = false
      return setImmediate()
    }
    // Reading the set has put vetoes in force; places that are free go to waiting requests in the next tick.
    return queue.length === 0 || set.all.length === 0 ? undefined : new Promise((resolve) => process.nextTick(resolve))
  }

  /** Changes the list, at this moment. Newcomers are probed first, which takes time. */
  async change(make: (balancer: Balancer) => Promise<unknown>): Promise<void> {
    this.#changesUnderWay++
    this.#latestChange = this.#latestChange
      .then(() => make(this.balancer))
      // A change that is refused is one that does not happen, as on a real one.
      .catch(() => {})
      .finally(() => this.#changesUnderWay--)
    // oxlint-disable-next-line no-await-in-loop -- promises that wait for promises
    for (let turn = 0; turn < mostTurns && this.#changesUnderWay > 0; turn++) await setImmediate()
  }

  /** Makes a server for a backend that is about to be added. @throws Error if one of that name is there */
  newcomer(backend: ScenarioBackend): BackendOptions {
    if (this.balancer.listed.some(({ id }) => id === backend.id)) throw new Error(`there is a backend '${backend.id}'`)
    const entered = this.#enter(backend)
    this.#servers.get(backend.id)!.start()
    return entered
  }

  async close(): Promise<void> {
    await this.#app.close()
  }

  #enter(backend: ScenarioBackend): BackendOptions {
    const random = randomStream(this.#seed, `server ${backend.id}`)
    const server = new SimulatedServer(backend, this.clock, random)
    this.#servers.set(backend.id, server)
    this.#everyServer.push(server)
    return listed(backend, this.#addresses++)
  }

  #replacePools(): void {
    for (const backend of this.balancer.backends) backend.pool = this.#servers.get(backend.id)!
  }

  /** Health checks that ask simulated servers. */
  #checked(given: Exclude<BalancerOptions['healthCheck'], boolean | undefined> | true) {
    const options = given === true ? {} : given
    const { type = 'http' } = options
    if (type === 'none') return options
    const probe: CustomProbe = ({ id }, signal) => {
      const server = this.#servers.get(id)!
      return type === 'tcp' ? this.#probes.connect(server) : this.#probes.ask(server, signal)
    }
    return { ...options, probe }
  }

  /** Until it is ready; time passes only while somebody waits for a probe. */
  async #boot(): Promise<void> {
    const state = { isReady: false }
    const ready = Promise.resolve(this.#app.ready()).finally(() => (state.isReady = true))
    ready.catch(() => {})
    while (!state.isReady) {
      // oxlint-disable-next-line no-await-in-loop -- the app has its turn
      await setImmediate()
      if (this.#probes.underWay > 0) this.clock.step()
    }
    await ready
  }
}
