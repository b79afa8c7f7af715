import type { Dispatcher, Pool } from 'undici'

/** As many as one that has none. */
const noStats = Object.freeze({ connected: 0, free: 0, pending: 0, queued: 0, running: 0, size: 0 })

/**
 * A Pool that is opened by the first request: an empty one of undici's has 16 KiB, and of thousands of backends most may
 * never be used, or leave again before they are.
 */
export class LazyPool implements Pick<Pool, 'dispatch' | 'close' | 'closed' | 'destroyed' | 'stats'> {
  readonly #open: () => Pool
  #opened: Pool | undefined
  #isClosed = false

  constructor(open: () => Pool) {
    this.#open = open
  }

  get closed(): boolean {
    return this.#opened?.closed ?? this.#isClosed
  }

  get destroyed(): boolean {
    return this.#opened?.destroyed ?? this.#isClosed
  }

  get stats(): Pool['stats'] {
    return this.#opened?.stats ?? noStats
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.#opened ??= this.#begin()
    return this.#opened.dispatch(options, handler)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#opened?.close()
  }

  async destroy(error?: Error | null): Promise<void> {
    this.#isClosed = true
    await this.#opened?.destroy(error ?? null)
  }

  /** What comes too late is told so by undici itself. */
  #begin(): Pool {
    const pool = this.#open()
    if (this.#isClosed) void pool.destroy()
    return pool
  }
}
