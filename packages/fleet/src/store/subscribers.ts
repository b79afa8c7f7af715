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
    for (const callback of this.#byName.get(name) ?? [])
      try {
        callback(message)
      } catch (error) {
        // The others hear it; this one becomes an uncaught error.
        queueMicrotask(() => {
          throw error
        })
      }
  }

  clear(): void {
    for (const all of this.#byName.values()) all.clear()
    this.#byName.clear()
  }
}
