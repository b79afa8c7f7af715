import type { Notifier } from '../systemd/notifier.ts'
import { probingLine } from './announcement.ts'
import { statusOf } from './balancers-status.ts'
import type { RunningServer } from './running-server.ts'

/** One line for `systemctl status`. */
function statusLine({ balancers }: RunningServer): string {
  const { backends, available, exchanges } = statusOf(balancers.values())
  return `STATUS=${available} of ${backends} backends healthy, requests in progress: ${exchanges}`
}

/** Tells systemd how far a server is, and that it is alive. */
export class Supervision {
  readonly #server: RunningServer
  readonly #notifier: Notifier

  /** Of a server that does not listen yet. */
  constructor(server: RunningServer, notifier: Notifier) {
    this.#server = server
    this.#notifier = notifier
    notifier.notify(`STATUS=${probingLine(server.configuration) ?? 'starting'}`)
    server.onReload((isOver) => {
      if (isOver) notifier.notify('READY=1', statusLine(server))
      // systemd wants to know whether this or its own order was first. That is its clock, too.
      else notifier.notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
    })
    server.onClose(() => notifier.notify('STOPPING=1', statusLine(server)))
  }

  /** It listens. From now on a timer of the event loop says so: where that is blocked, nothing is said. */
  ready(): void {
    const { interval } = this.#notifier
    this.#notifier.notify('READY=1', statusLine(this.#server))
    if (interval !== undefined)
      setInterval(() => this.#notifier.notify('WATCHDOG=1', statusLine(this.#server)), interval).unref()
  }
}
