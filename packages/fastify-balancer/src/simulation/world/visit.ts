import type { Attempt } from '@fastify-balancer/balancer-core/exchange-rules'
import type { Happening } from './simulated-clock.ts'
import type { Work } from './serving-time.ts'

/** Who asks a server: an attempt, or a probe. The part of undici's handler that is used. */
export type Guest = Pick<
  Attempt,
  'onRequestStart' | 'onRequestSent' | 'onResponseStart' | 'onResponseEnd' | 'onResponseError'
>

/** What a guest holds to abort its request. */
type Controller = Parameters<Guest['onRequestStart']>[0]

/** Where a visit is; `refused`: there is no server that listens. */
type Phase = 'coming' | 'refused' | 'waiting' | 'served' | 'answered'

/** The server that is visited. */
interface Host {
  moved(visit: Visit): void
  abort(visit: Visit, error: Error): void
}

/** One request at one server. */
export class Visit implements Happening {
  due = 0
  order = 0
  readonly work: Work
  readonly guest: Guest
  stage: Phase = 'coming'
  status = 200
  /** In which of its server's lives it was begun. */
  life = 0
  /** For its guest; its server may still be busy with it. */
  hasEnded = false
  readonly #host: Host

  constructor(host: Host, work: Work, guest: Guest) {
    this.#host = host
    this.work = work
    this.guest = guest
  }

  /** As undici has one; only `abort` is ever called. */
  get controller(): Controller {
    return this as unknown as Controller
  }

  happen(): void {
    this.#host.moved(this)
  }

  abort(error: Error): void {
    this.#host.abort(this, error)
  }
}
