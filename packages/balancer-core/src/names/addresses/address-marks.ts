import type { Clock } from '../../clock.ts'
import type { Address } from './address.ts'

/** How long an unreachable address is tried last (ms): nginx's `fail_timeout`. */
const restsFor = 10_000

/** Addresses of a name that could not be reached recently. */
export class AddressMarks {
  readonly #clock: Clock
  /** Until when they are tried last. */
  readonly #until = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  reached(address: string): void {
    this.#until.delete(address)
  }

  failed(address: string): void {
    this.#until.set(address, this.#clock.now() + restsFor)
  }

  keepOnly(addresses: readonly Address[]): void {
    for (const marked of this.#until.keys()) {
      if (!addresses.some(({ address }) => address === marked)) this.#until.delete(marked)
    }
  }

  hasFailedAll(addresses: readonly Address[]): boolean {
    return addresses.every(({ address }) => this.#rests(address))
  }

  /** Reachable addresses take turns; the others follow. */
  ordered(addresses: readonly Address[], turn: number): readonly Address[] {
    const resting = this.#until.size === 0 ? [] : addresses.filter(({ address }) => this.#rests(address))
    const sound = resting.length === 0 ? addresses : addresses.filter((one) => !resting.includes(one))
    const first = turn % Math.max(1, sound.length)
    return [...sound.slice(first), ...sound.slice(0, first), ...resting]
  }

  #rests(address: string): boolean {
    const until = this.#until.get(address)
    return until !== undefined && this.#clock.now() < until
  }
}
