import type { Fleet } from '../instances/fleet.ts'

/** How long others may take to put a change in force before it is answered without them (ms). */
const patience = 2000

/** Which instances have which version of a register in force. */
export class Confirmations {
  readonly #fleet: Fleet
  readonly #topic: string
  readonly #confirmed = new Map<string, number>()
  readonly #waiting = new Set<() => void>()
  #own = 0
  /** Nobody waits again for what has been waited for in vain. */
  #late = 0

  constructor(fleet: Fleet, key: string) {
    this.#fleet = fleet
    this.#topic = `confirmed/${key}`
    fleet.subscribe(this.#topic, (version, from) => {
      this.#confirmed.set(from, Math.max(this.#confirmed.get(from) ?? 0, version as number))
      this.#look()
    })
    // A confirmation may be lost; what is announced is not.
    fleet.tell(this.#topic, () => this.#own)
    fleet.onChange((all) => {
      const ids = new Set(all.map(({ id }) => id))
      for (const id of this.#confirmed.keys()) if (!ids.has(id)) this.#confirmed.delete(id)
      this.#look()
    })
  }

  /** It is in force here. */
  confirm(version: number): void {
    this.#own = version
    this.#fleet.publish(this.#topic, version)
  }

  /** The instances that have not said that they have a version in force. Those that start take it before they listen. */
  late(version: number): readonly string[] {
    return this.#fleet.instances.flatMap(({ id, state, about }) => {
      const confirmed = Math.max(this.#confirmed.get(id) ?? 0, Number(about[this.#topic] ?? 0))
      return id === this.#fleet.id || state === 'starting' || confirmed >= version ? [] : id
    })
  }

  /** Resolves once all have it in force, at most after 2 s. */
  wait(version: number): Promise<void> {
    if (version <= this.#late || this.late(version).length === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve()
      }
      const look = () => this.late(version).length === 0 && end()
      const timer = setTimeout(() => {
        this.#late = Math.max(this.#late, version)
        end()
      }, patience)
      this.#waiting.add(look)
    })
  }

  #look(): void {
    for (const look of this.#waiting) look()
  }
}
