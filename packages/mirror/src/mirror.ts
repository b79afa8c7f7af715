import type { Attempt, Balancer, Participation } from '@fastify-balancer/balancer-core'
import { optionChanges, shownOptions } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'
import { readMirrorOptions, type ParsedOptions } from './options.ts'
import { mark, Receiver, type ReceiverView } from './receiver.ts'

/** Under which a balancer has it among its extensions, and what is said of it in a change of options. */
export const extensionKey = 'mirror'

/** A part in a change that changes nothing. */
const nothing: Participation = { faults: [], changes: [], commit() {}, abandon() {} }

/** As data: what is told of a change. */
function told(options: ParsedOptions): object {
  const { balancer: _, ...settings } = options
  return { [extensionKey]: settings }
}

/** A fault at its place; one of the whole has no place of its own. */
function placed(fault: string): string {
  return /^\S+: /.test(fault) ? `${extensionKey}.${fault}` : `${extensionKey}: ${fault}`
}

/** Sends copies of a share of a balancer's requests to other servers. */
export class Mirror {
  readonly balancer: Balancer
  readonly #log: FastifyBaseLogger | undefined
  /** Undefined while it is switched off. */
  #options: ParsedOptions | undefined
  #methods: ReadonlySet<string> = new Set()
  #receivers: readonly Receiver[] = []
  #isHooked = false
  #isClosed = false

  constructor(balancer: Balancer, options: ParsedOptions, log?: FastifyBaseLogger) {
    this.balancer = balancer
    this.#log = log
    this.#configure(options)
    const prepare = (beside: Readonly<Record<string, unknown>>) => this.#prepare(beside[extensionKey])
    balancer.addHook('onOptionsPropose', function mirror(_next, beside) {
      return prepare(beside)
    })
  }

  /** The options in force, as plain data. */
  get shownOptions(): unknown {
    const { balancer: _, ...settings } = this.#options ?? {}
    return shownOptions(settings)
  }

  /** What has become of the copies, for each server of `to`, in that order. Counted since it is listed. */
  get views(): readonly ReceiverView[] {
    return this.#receivers.map(({ view }) => view)
  }

  /** Aborts all copies; from then on there are no more. Nobody has to wait for it. */
  close(): void {
    this.#configure(undefined)
    this.#isClosed = true
  }

  // A named function, since the balancer logs the name of a hook that throws.
  readonly #mirrorFirst = (attempt: Attempt) => {
    // A retry repeats a request that was mirrored.
    if (attempt.number !== 1) return
    const { exchange, sending, backend } = attempt
    if (sending === undefined || !this.#methods.has(sending.method)) return
    if (exchange.upgrade !== undefined || exchange.call !== undefined) return
    // Otherwise two balancers that mirror to each other would never stop.
    if (exchange.headers[mark] !== undefined) return
    const { share } = this.#options!
    if (share < 1 && this.balancer.random() >= share) return
    const { base } = backend
    // The path of the backend's own address is not for other servers.
    const copied = base === '' ? sending : { ...sending, path: sending.path.slice(base.length) }
    for (const receiver of this.#receivers) receiver.take(copied)
  }

  /** Its part in a change: `given` are its options, undefined for those that it has; `false` switches it off. */
  #prepare(given: unknown): Participation {
    const before = this.#options
    if (given === undefined || (given === false && before === undefined)) return nothing
    const { options, faults } = given === false ? { options: undefined, faults: [] } : readMirrorOptions(given)
    if (faults.length > 0) return { ...nothing, faults: faults.map(placed) }
    const changes =
      before === undefined || options === undefined
        ? [{ option: extensionKey, from: before !== undefined, to: options !== undefined }]
        : optionChanges(told(before), told(options))
    if (changes.length === 0) return nothing
    const commit = () => {
      if (this.#isClosed) return
      this.#configure(options)
      if (options === undefined) this.balancer.extensions.delete(extensionKey)
      else this.balancer.extensions.set(extensionKey, this)
    }
    return { ...nothing, changes, commit }
  }

  /** Servers that stay keep their connections, copies in progress and counts. */
  #configure(options: ParsedOptions | undefined): void {
    const to = options?.to ?? []
    const before = new Map(this.#receivers.map((receiver) => [receiver.url, receiver]))
    this.#options = options
    this.#methods = new Set(options?.methods)
    this.#receivers = to.map((url) => before.get(url) ?? new Receiver(url, options!, this.balancer, this.#log))
    for (const receiver of before.values()) {
      if (to.includes(receiver.url)) receiver.configure(options!)
      else receiver.close()
    }
    this.#hook(to.length > 0)
  }

  /** Without servers, it costs a request nothing. */
  #hook(isWanted: boolean): void {
    if (isWanted === this.#isHooked) return
    this.#isHooked = isWanted
    if (isWanted) this.balancer.addHook('onAttemptStart', this.#mirrorFirst)
    else this.balancer.removeHook('onAttemptStart', this.#mirrorFirst)
  }
}
