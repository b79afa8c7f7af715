import type { Connection } from './connection.ts'

/** Idle connections. The one used last is used next, so that surplus ones time out; it is found without a search. */
export class FreeConnections {
  readonly #all: Connection[] = []
  readonly #drop: (connection: Connection) => void

  /** `drop` must close a connection. */
  constructor(drop: (connection: Connection) => void) {
    this.#drop = drop
  }

  put(connection: Connection): void {
    this.#all.push(connection)
  }

  /** The one that was used last. Those that have become too old are closed. */
  take(): Connection | undefined {
    for (;;) {
      const last = this.#all.pop()
      if (last?.hasAged !== true) return last
      this.#drop(last)
    }
  }

  remove(connection: Connection): void {
    const index = this.#all.lastIndexOf(connection)
    if (index !== -1) this.#all.splice(index, 1)
  }

  clear(): void {
    this.#all.length = 0
  }
}
