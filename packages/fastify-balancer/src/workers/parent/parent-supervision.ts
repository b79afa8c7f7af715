import type { Notifier } from '../../systemd/notifier.ts'
import type { Workforce } from './workforce.ts'

/** Tells systemd how far the workers are, and that they are alive. */
export class ParentSupervision {
  readonly #workforce: Workforce
  readonly #notifier: Notifier
  #watchdog: NodeJS.Timeout | undefined

  constructor(workforce: Workforce, notifier: Notifier) {
    this.#workforce = workforce
    this.#notifier = notifier
    notifier.notify('STATUS=starting the workers')
  }

  /** All listen, or a reload is over. From now on it is alive as long as the workers answer. */
  ready(): void {
    const { interval } = this.#notifier
    this.#notifier.notify('READY=1', this.#status())
    if (interval === undefined || this.#watchdog !== undefined) return
    this.#watchdog = setInterval(() => {
      if (this.#workforce.answers) this.#notifier.notify('WATCHDOG=1', this.#status())
    }, interval).unref()
  }

  reloading(): void {
    // systemd wants to know whether this or its own order was first. That is its clock, too.
    this.#notifier.notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
  }

  stopping(): void {
    this.#notifier.notify('STOPPING=1', this.#status())
  }

  #status(): string {
    const { workers, available, backends, exchanges } = this.#workforce.status
    return `STATUS=${workers} workers, ${available} of ${backends} backends healthy, requests in progress: ${exchanges}`
  }
}
