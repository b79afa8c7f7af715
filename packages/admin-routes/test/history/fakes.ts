import type { Attempt, Backend, Balancer, ExchangeView, Outcome } from '@fastify-balancer/balancer-core'
import { ManualClock } from '../../../../test/support/clock.ts'
import { historyView } from '../../src/history/history-view.ts'
import { Recorder } from '../../src/history/recorder.ts'
import type { Range } from '../../src/history/resolutions.ts'
import type { HistoryView } from '../../src/schemas/past-views.ts'
import type { Static } from '@sinclair/typebox'

export type View = Static<typeof HistoryView>

/** A backend as far as a history looks at it. */
export class FakeBackend {
  readonly id: string
  inFlight = 0
  requests = 0

  constructor(id: string) {
    this.id = id
  }

  get isIdle(): boolean {
    return this.inFlight === 0
  }
}

/** A balancer as far as a history looks at it, in simulated time. */
export class FakeBalancer {
  readonly name = 'default'
  readonly clock = new ManualClock()
  readonly tunnels = { size: 0 }
  readonly queue = { length: 0 }
  exchanges = 0
  backends: FakeBackend[] = []

  has(backend: FakeBackend): boolean {
    return this.backends.includes(backend)
  }
}

/** A backend, for code that reads no more of it than a fake has. */
export const real = (backend: FakeBackend) => backend as unknown as Backend

/** A recorder of a fake balancer; the time of day is that of its clock, `offset` later. */
export class Recording {
  readonly balancer = new FakeBalancer()
  offset: number
  readonly recorder: Recorder
  /** What the process has shed so far. */
  shed = 0

  /** `begin` in ms since the epoch. */
  constructor(begin: number) {
    this.offset = begin
    this.recorder = new Recorder(
      this.balancer as unknown as Balancer,
      () => this.now,
      () => this.shed,
    )
  }

  get now(): number {
    return this.offset + this.balancer.clock.now()
  }

  request(status: number, duration: number, retries = 0, outcome: Outcome = 'ok'): void {
    const endedAt = this.balancer.clock.now()
    const failed = status >= 500
    const asked = { method: 'GET', path: '/', attempts: [], waitingSince: 0, blame: undefined }
    const exchange = { ...asked, status, failed, outcome, retries, startedAt: endedAt - duration }
    this.recorder.exchangeEnded(exchange as unknown as ExchangeView, endedAt)
  }

  /** `status` 0: it failed without a response. */
  attempt(backend: FakeBackend, status: number, duration: number): void {
    const respondedAt = status === 0 ? 0 : this.balancer.clock.now() + 1
    const failed = status === 0 || status >= 500
    backend.requests++
    const attempt = { backend, failed, status, respondedAt, startedAt: respondedAt - duration }
    this.recorder.attemptEnded(attempt as unknown as Attempt)
  }

  async read(range: Range): Promise<View> {
    const { text } = await historyView(this.recorder, range, true)
    return JSON.parse(String(text)) as View
  }
}
