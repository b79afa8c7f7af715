import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyBaseLogger } from 'fastify'
import type { Instances } from '../instances/instances.ts'
import { UnsavedError } from './errors.ts'
import { Keeper, type Compare } from './keeper.ts'

/** What is asked of the instance that writes the file: to save a list; or that lists as configured need not be saved any more. */
type SaveQuestion = { readonly balancer: string } | { readonly configured: true }

/** The code of the error, if it was not saved. */
interface SaveAnswer {
  readonly fault?: string
}

/** How often one that does not answer is asked again, or the one that has taken its place. */
const mostTries = 4

/** Saves lists to a file that all instances share: one of them, the keeper of the fleet, writes it. */
export class Keeping {
  readonly #keeper: Keeper
  readonly #instances: Instances
  readonly #balancers: ReadonlyMap<string, Balancer>

  private constructor(keeper: Keeper, instances: Instances, balancers: ReadonlyMap<string, Balancer>) {
    this.#keeper = keeper
    this.#instances = instances
    this.#balancers = balancers
    instances.answer('save', (question: SaveQuestion) => this.#answer(question))
  }

  /** See `Keeper.open`. */
  static async open(
    path: string,
    balancers: ReadonlyMap<string, Balancer>,
    log: FastifyBaseLogger,
    instances: Instances,
  ): Promise<Keeping> {
    const isShared = instances.fleet !== undefined
    const keeper = await Keeper.open(path, balancers, log, isShared ? { instance: instances.self } : {})
    return new Keeping(keeper, instances, balancers)
  }

  /** See `Keeper.restore`. Lists that the other instances have agreed on already are not touched: this one takes them. */
  async restore(compare: Compare): Promise<void> {
    const { fleet } = this.#instances
    if (fleet !== undefined) {
      const names = [...this.#balancers.keys()]
      const entries = await Promise.all(names.map((name) => fleet.register(`balancers/${name}`).read()))
      for (const [index, name] of names.entries()) if (entries[index] !== undefined) this.#keeper.pass(name)
    }
    await this.#keeper.restore(compare)
  }

  /** See `Keeper.settle`. */
  async settle(): Promise<void> {
    if (this.#writes) await this.#keeper.settle()
  }

  /** See `Keeper.save`. */
  save(balancer: Balancer): Promise<void> {
    return this.#writes ? this.#keeper.save(balancer) : this.#ask({ balancer: balancer.name })
  }

  /** See `Keeper.followConfigured`. */
  followConfigured(): Promise<void> {
    return this.#writes ? this.#keeper.followConfigured() : this.#ask({ configured: true })
  }

  /** See `Keeper.close`. */
  close(): Promise<void> {
    return this.#keeper.close()
  }

  get #writes(): boolean {
    const { fleet } = this.#instances
    return fleet === undefined || fleet.keeper === undefined || fleet.isKeeper
  }

  async #ask(question: SaveQuestion): Promise<void> {
    for (let tries = 0; tries < mostTries; tries++) {
      if (this.#writes) return this.#write(question)
      const { keeper } = this.#instances.fleet!
      // oxlint-disable-next-line no-await-in-loop -- another one may have taken its place meanwhile
      const { answers } = await this.#instances.ask<SaveAnswer>('save', question, [keeper!])
      const answer = answers.get(keeper!)
      if (answer?.fault !== undefined) throw new UnsavedError(answer.fault)
      if (answer !== undefined) return
    }
    throw new UnsavedError('the instance that writes the file does not answer')
  }

  async #answer(question: SaveQuestion): Promise<SaveAnswer> {
    if (!this.#writes) throw new Error('another instance writes the file')
    try {
      await this.#write(question)
      return {}
    } catch (error) {
      return { fault: error instanceof UnsavedError ? error.why : (error as Error).message }
    }
  }

  async #write(question: SaveQuestion): Promise<void> {
    if ('configured' in question) return this.#keeper.followConfigured()
    const { balancer: name } = question
    await this.#instances.fleet?.list(name)?.caughtUp()
    const balancer = this.#balancers.get(name)
    if (balancer !== undefined) await this.#keeper.save(balancer)
  }
}
