// Room `persistence`: keeps lists in a file, so that a restart begins with the last one.
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

/** What a list would change, and why it would be refused. */
export interface Comparison {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly { readonly id: string }[]
  readonly faults: readonly string[]
}

/** Compares a list with the one that a balancer has. */
export type Compare = (balancer: Balancer, wanted: readonly WantedBackend[]) => Promise<Comparison>

/**
 * After a restart, revisions go on so much higher: some may have been seen that were not saved any more, and those must
 * not stand for another list.
 */
const leap = 1000

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

/** Keeps the lists of balancers in a file: of those that were changed by somebody, not of those that are as configured. */
export class Keeper {
  readonly #path: string
  readonly #balancers: ReadonlyMap<string, Balancer>
  readonly #log: FastifyBaseLogger
  /** Found in the file, and not in force: there is no such balancer, or not yet. */
  readonly #waiting: Map<string, SavedList>
  readonly #giveBack: () => void
  readonly #kept = new Set<string>()
  #writing: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined
  #isBehind = false

  private constructor(
    path: string,
    balancers: ReadonlyMap<string, Balancer>,
    log: FastifyBaseLogger,
    found: Map<string, SavedList>,
    giveBack: () => void,
  ) {
    this.#path = path
    this.#balancers = balancers
    this.#log = log
    this.#waiting = found
    this.#giveBack = giveBack
  }

  /**
   * Reads the file, if there is one. `balancers` may grow later. Until it is closed, nobody else may keep that file.
   * @throws BrokenFileError naming every fault; BadOptionsError where no file could be written, or somebody else keeps it
   */
  static async open(given: string, balancers: ReadonlyMap<string, Balancer>, log: FastifyBaseLogger): Promise<Keeper> {
    const path = resolve(given)
    let giveBack: (() => void) | undefined
    const kind = await kindOf(path)
    if (kind !== undefined) throw new BrokenFileError(path, `it is ${kind}, and has to be a plain file`)
    try {
      await access(dirname(await realPathOf(path)), constants.W_OK)
      giveBack = await claim(path)
    } catch (error) {
      throw new BadOptionsError(`persist: the folder of '${path}' cannot be written to: ${codeOf(error)}`)
    }
    if (giveBack === undefined) throw new BadOptionsError(`persist: other admin routes keep their lists in '${path}'`)
    try {
      return new Keeper(path, balancers, log, await listsAt(path), giveBack)
    } catch (error) {
      giveBack()
      throw error
    }
  }

  /**
   * Puts the saved lists in place of the configured ones, of all balancers that are there by now; all or none.
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

  /** All balancers are there: what was restored is saved as it is now. */
  async settle(): Promise<void> {
    for (const [name, { backends }] of this.#waiting)
      this.#log.warn(
        { file: this.#path, balancer: name, backends: backends.length },
        `there is no balancer '${name}': its list stays in the file`,
      )
    // Its failure is logged, and told to whoever changes something next.
    if (this.#kept.size > 0) await this.#save().catch(() => {})
  }

  /**
   * A balancer was changed: resolves when that is on disk. However many wait, what is written is the latest, once for all.
   * @throws UnsavedError
   */
  save({ name }: Balancer): Promise<void> {
    this.#kept.add(name)
    return this.#save()
  }

  /**
   * Lists were replaced by the configured ones: what has no order on it (drain, maintenance) is as configured again, and
   * is not kept any more. Resolves when that is on disk. @throws UnsavedError
   */
  async followConfigured(): Promise<void> {
    if (this.#kept.size === 0) return this.#next ?? this.#writing
    for (const name of this.#kept)
      if (this.#balancers.get(name)!.backends.every(({ state }) => state === 'ready')) this.#kept.delete(name)
    await this.#save()
  }

  /** Waits for what is being written, makes one more attempt if the last one failed, and gives the file back. */
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
    const lists = new Map(this.#waiting)
    for (const name of this.#kept) lists.set(name, savedList(this.#balancers.get(name)!))
    try {
      await writeWhole(this.#path, textOf(lists))
      this.#isBehind = false
    } catch (error) {
      this.#isBehind = true
      this.#log.error({ err: error, file: this.#path }, 'the lists could not be saved')
      throw new UnsavedError(codeOf(error))
    }
  }

  async #enforce(balancer: Balancer, list: SavedList): Promise<void> {
    await balancer.setBackends(wantedOf(list), { resumes: list.revision + leap - 1, force: true })
    for (const [index, { state }] of list.backends.entries()) {
      const { id } = balancer.backends[index]!
      // Idle as it is, neither takes any time.
      if (state === 'drain') void balancer.drain(id)
      else if (state === 'maintenance') void balancer.maintain(id)
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
      `balancer '${name}' gets the ${backends.length} backends of revision ${revision} that were saved, ${differs ? 'in place of' : 'which are'} the ${set.all.length} that are configured`,
    )
  }
}
