import type { Unsubscribe } from './store.ts'

/** Callbacks by name; each is called with every message of its name, one after the other. */
export class Subscribers<Message> {
  readonly #byName = new Map<string, Set<(message: Message) => void>>()

  /** `onFirst` and `onLast`: somebody listens to a name, and nobody any more. */
  add(name: string, callback: (message: Message) => void, onFirst?: () => void, onLast?: () => void): Unsubscribe {
    let all = this.#byName.get(name)
    if (all === undefined) {
      this.#byName.set(name, (all = new Set()))
      onFirst?.()
    }
    // One and the same function may be given twice.
    const own = (message: Message) => callback(message)
    all.add(own)
    return () => {
      if (!all.delete(own) || all.size > 0 || this.#byName.get(name) !== all) return
      this.#byName.delete(name)
      onLast?.()
    }
  }

  tell(name: string, message: Message): void {
    const all = this.#byName.get(name)
    if (all === undefined) return
    for (const callback of [...all]) {
      // One of them may have ended the subscription of another.
      if (!all.has(callback)) continue
      try {
        callback(message)
      } catch (error) {
        // The others hear it all the same, and the process tells of this one.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  clear(): void {
    for (const all of this.#byName.values()) all.clear()
    this.#byName.clear()
  }
}
