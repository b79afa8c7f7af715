// Room `persistence`: saves changed lists to a file and restores them at the start.
import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyBaseLogger } from 'fastify'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { BadOptionsError } from '../errors.ts'
import type { WantedBackend } from '../schemas/wanted.ts'
import { shortened } from '../changes/shortened.ts'
import { claim } from './claim.ts'
import { BrokenFileError, UnsavedError } from './errors.ts'
import { faultsOfStates, listsIn, savedList, textOf, wantedOf, type SavedList } from './saved-lists.ts'
import { kindOf, readPlain } from './plain-file.ts'
import { realPathOf, writeWhole } from './whole-file.ts'

/** What a list would change, and its faults. */
export interface Comparison {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly { readonly id: string }[]
  readonly faults: readonly string[]
}

/** Compares a list with a balancer's current one. */
export type Compare = (balancer: Balancer, wanted: readonly WantedBackend[]) => Promise<Comparison>

/**
 * After a restart, revisions continue this much higher: clients may have seen later revisions that were never saved, and
 * those must not refer to another list.
 */
const leap = 1000

const restored = { reason: 'restored from the saved lists' }

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}

async function listsAt(path: string): Promise<Map<string, SavedList>> {
  let bytes: Uint8Array
  try {
    bytes = await readPlain(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Map()
    throw new BrokenFileError(path, codeOf(error))
  }
  const faults: string[] = []
  const found = listsIn(bytes, faults)
  if (faults.length > 0) throw new BrokenFileError(path, faults.join('; '))
  return found
}

/** Saves the lists of balancers to a file, only of those that were changed through the admin routes. */
export class Keeper {
  readonly #path: string
  readonly #balancers: ReadonlyMap<string, Balancer>
  readonly #log: FastifyBaseLogger
  /** Found in the file and not applied: there is no such balancer (yet). */
  readonly #waiting: Map<string, SavedList>
  readonly #giveBack: () => void
  /** Other instances may have written the file since. */
  readonly #isShared: boolean
  readonly #kept = new Set<string>()
  /** No longer saved, but maybe still in the file. */
  readonly #forgotten = new Set<string>()
  #writing: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined
  #isBehind = false

  private constructor(
    path: string,
    balancers: ReadonlyMap<string, Balancer>,
    log: FastifyBaseLogger,
    found: Map<string, SavedList>,
    giveBack: () => void,
    isShared: boolean,
  ) {
    this.#path = path
    this.#balancers = balancers
    this.#log = log
    this.#waiting = found
    this.#giveBack = giveBack
    this.#isShared = isShared
  }

  /**
   * Reads the file, if it exists. `balancers` may grow later. The file is reserved until `close`; if it is shared with other
   * instances that act as one, only for this `instance`.
   * @throws BrokenFileError naming every fault; BadOptionsError if it is not writable, or already in use
   */
  static async open(
    given: string,
    balancers: ReadonlyMap<string, Balancer>,
    log: FastifyBaseLogger,
    { instance }: { readonly instance?: string } = {},
  ): Promise<Keeper> {
    const path = resolve(given)
    let giveBack: (() => void) | undefined
    const kind = await kindOf(path)
    if (kind !== undefined) throw new BrokenFileError(path, `it is ${kind}; it must be a plain file`)
    try {
      await access(dirname(await realPathOf(path)), constants.W_OK)
      giveBack = await claim(path, instance)
    } catch (error) {
      throw new BadOptionsError(`persist: the folder of '${path}' is not writable: ${codeOf(error)}`)
    }
    if (giveBack === undefined) throw new BadOptionsError(`persist: other admin routes already save to '${path}'`)
    try {
      return new Keeper(path, balancers, log, await listsAt(path), giveBack, instance !== undefined)
    } catch (error) {
      giveBack()
      throw error
    }
  }

  /**
   * Replaces configured lists by the saved ones, for all balancers registered so far; all or none.
   * @throws BrokenFileError naming every fault
   */
  async restore(compare: Compare): Promise<void> {
    const found = [...this.#waiting].map(async ([name, list]) => {
      const balancer = this.#balancers.get(name)
      return balancer && { balancer, list, comparison: await compare(balancer, wantedOf(list)) }
    })
    const due = (await Promise.all(found)).filter((one) => one !== undefined)
    const faults = due.flatMap(({ balancer: { name }, list, comparison }) =>
      [...faultsOfStates(list), ...comparison.faults].map((fault) => `balancers.${name}.${fault}`),
    )
    if (faults.length > 0) throw new BrokenFileError(this.#path, faults.join('; '))
    await Promise.all(
      due.map(async ({ balancer, list, comparison }) => {
        this.#tell(balancer, list, comparison)
        this.#waiting.delete(balancer.name)
        this.#kept.add(balancer.name)
        await this.#enforce(balancer, list)
      }),
    )
  }

  /** The list of a balancer need not be restored: other instances know a newer one. */
  pass(name: string): void {
    if (this.#waiting.delete(name)) this.#kept.add(name)
  }

  /** Called when all balancers are registered: saves what was restored. */
  async settle(): Promise<void> {
    for (const [name, { backends }] of this.#waiting)
      this.#log.warn(
        { file: this.#path, balancer: name, backends: backends.length },
        `there is no balancer '${name}': its saved list stays in the file, unused`,
      )
    // A failure is logged, and reported to the next client that changes something.
    if (this.#kept.size > 0) await this.#save().catch(() => {})
  }

  /**
   * Saves a changed balancer; resolves when it is on disk. Changes that wait for the disk are written together.
   * @throws UnsavedError
   */
  save({ name }: Balancer): Promise<void> {
    this.#kept.add(name)
    this.#forgotten.delete(name)
    return this.#save()
  }

  /**
   * After the lists were replaced by the configured ones: a balancer without orders (drain, maintenance) is no longer saved,
   * since it is as configured again. Resolves when that is on disk. @throws UnsavedError
   */
  async followConfigured(): Promise<void> {
    if (this.#kept.size === 0) return this.#next ?? this.#writing
    for (const name of this.#kept)
      if (this.#balancers.get(name)!.backends.every(({ state }) => state === 'ready')) this.#forget(name)
    await this.#save()
  }

  /** Waits for the current write, retries once if the last one failed, and releases the file. */
  async close(): Promise<void> {
    await (this.#next ?? this.#writing).catch(() => {})
    if (this.#isBehind) await this.#save().catch(() => {})
    this.#giveBack()
  }

  #save(): Promise<void> {
    this.#next ??= this.#writing
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        this.#writing = this.#write()
        return this.#writing
      })
    return this.#next
  }

  async #write(): Promise<void> {
    if (this.#isShared) await this.#takeOver()
    const lists = new Map(this.#waiting)
    for (const name of this.#kept) lists.set(name, savedList(this.#balancers.get(name)!))
    try {
      await writeWhole(this.#path, textOf(lists))
      this.#forgotten.clear()
      this.#isBehind = false
    } catch (error) {
      this.#isBehind = true
      this.#log.error({ err: error, file: this.#path }, 'the lists could not be saved')
      throw new UnsavedError(codeOf(error))
    }
  }

  #forget(name: string): void {
    this.#kept.delete(name)
    this.#forgotten.add(name)
  }

  /** What another instance has saved stays saved. */
  async #takeOver(): Promise<void> {
    const found = await listsAt(this.#path).catch(() => new Map<string, SavedList>())
    for (const [name, list] of found)
      if (this.#forgotten.has(name)) continue
      else if (this.#balancers.has(name)) this.#kept.add(name)
      else this.#waiting.set(name, list)
  }

  async #enforce(balancer: Balancer, list: SavedList): Promise<void> {
    await balancer.setBackends(wantedOf(list), { resumes: list.revision + leap - 1, force: true })
    for (const [index, { state }] of list.backends.entries()) {
      const { id } = balancer.backends[index]!
      // It is idle, so neither takes any time.
      if (state === 'drain') void balancer.drain(id, restored)
      else if (state === 'maintenance') void balancer.maintain(id, restored)
    }
  }

  #tell({ name, set }: Balancer, { revision, backends }: SavedList, { added, removed, changed }: Comparison): void {
    const difference = {
      added: shortened(added),
      removed: shortened(removed),
      changed: shortened(changed.map(({ id }) => id)),
    }
    const differs = added.length + removed.length + changed.length > 0
    this.#log[differs ? 'warn' : 'info'](
      { file: this.#path, balancer: name, ...difference },
      differs
        ? `balancer '${name}': restored ${backends.length} saved backends (revision ${revision}), replacing the ${set.all.length} configured`
        : `balancer '${name}': restored ${backends.length} saved backends (revision ${revision}), same as configured`,
    )
  }
}
