import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import {
  Balancer,
  type Attempt,
  type Backend,
  type BalancerOptions,
  type FailureReason,
} from '@fastify-balancer/balancer-core'
import { AttemptRecord } from '../../../balancer-core/src/attempt/attempt-record.ts'
import { faultsOf, Pauses, withDefaults, type Given } from '@fastify-balancer/option-schema'
import { ManualClock } from '../../../../test/support/clock.ts'
import type { Judgement } from '../../src/judgement/judgement.ts'
import { OutlierDetection } from '../../src/passive/outlier-detection.ts'
import { OutlierOptions } from '../../src/passive/rules/outlier-options.ts'
import { PressureOptions } from '../../src/passive/pressure-options.ts'

/** An attempt that a test plays: the core's own record of it. */
export type Played = AttemptRecord

/** 2026-03-01, as the clock's 0. */
export const epochStart = Date.UTC(2026, 2, 1)

interface Settings {
  readonly outliers?: Given<typeof OutlierOptions>
  readonly pressure?: Given<typeof PressureOptions>
  readonly balancer?: BalancerOptions
}

/** A balancer with passive checks, and attempts that are played to them. */
export class Detecting {
  readonly clock = new ManualClock(1000)
  readonly balancer: Balancer
  readonly detection: OutlierDetection
  /** Of this process; it is not looked for any before the test starts that. */
  readonly pauses = new Pauses(this.clock)
  readonly judgements: (Judgement & { readonly id: string })[] = []
  /** Those that were not ejected, with the reason. */
  readonly spared: string[] = []

  constructor(ids: string, { outliers = {}, pressure = {}, balancer = {} }: Settings = {}) {
    const options = withDefaults(OutlierOptions, { jitter: 0, ...outliers })
    const pressureOptions = withDefaults(PressureOptions, pressure)
    assert.deepEqual([...faultsOf(OutlierOptions, options), ...faultsOf(PressureOptions, pressureOptions)], [])
    const backends = ids.split('').map((id) => ({ id, url: `http://${id}.test` }))
    this.balancer = new Balancer({ backends, clock: this.clock, random: () => 0.5, ...balancer })
    this.detection = new OutlierDetection(
      this.balancer,
      options,
      pressureOptions,
      ({ id }, judgement) => this.judgements.push({ id, ...judgement }),
      this.pauses,
      () => epochStart + this.clock.now(),
      ({ id }, reason) => this.spared.push(`${id}: ${reason}`),
    )
    this.balancer.addHook('onBackendsChange', (now) => this.detection.backendsChanged(now))
    this.detection.start()
  }

  backend(id: string): Backend {
    return this.balancer.backend(id)
  }

  /** An attempt begins now. */
  begin(id: string, url = '/'): Played {
    const backend = this.backend(id)
    const attempt = new AttemptRecord(backend, 1)
    Object.assign(attempt, {
      startedAt: this.clock.now(),
      started: true,
      uploaded: true,
      exchange: { method: 'GET', url },
    })
    backend.inFlight++
    this.detection.attemptStarted(attempt as unknown as Attempt)
    return attempt
  }

  /** An attempt begins now, whose body the client is still sending. */
  beginUpload(id: string): Played {
    return Object.assign(this.begin(id), { uploaded: false })
  }

  /** Its body has been handed over whole, now. */
  upload(attempt: Played): void {
    Object.assign(attempt, { uploaded: true, uploadedAt: this.clock.now() })
  }

  /** Its response headers arrive now. */
  respond(attempt: Played, status = 200, headers: Record<string, string> = {}): void {
    Object.assign(attempt, { status, headers, respondedAt: this.clock.now() })
    this.detection.attemptResponded(attempt as unknown as Attempt)
  }

  /** It ends now. */
  end(attempt: Played, outcome: 'ok' | FailureReason = 'ok'): void {
    Object.assign(attempt, { outcome, endedAt: this.clock.now() })
    attempt.backend.inFlight--
    this.detection.attemptEnded(attempt as unknown as Attempt)
  }

  /** `times` whole exchanges, at this instant. */
  answer(id: string, status = 200, times = 1, headers: Record<string, string> = {}): void {
    for (let index = 0; index < times; index++) {
      const attempt = this.begin(id)
      this.respond(attempt, status, headers)
      this.end(attempt)
    }
  }

  /** It asks for a pause of so many seconds. */
  press(id: string, seconds = 1): void {
    this.answer(id, 503, 1, { 'retry-after': String(seconds) })
  }

  /** `times` whole exchanges whose headers take so long: all begin now, and the clock moves on. */
  answerSlowly(durations: Readonly<Record<string, number>>, times: number): void {
    const start = this.clock.now()
    const inOrder = Object.entries(durations).sort(([, a], [, b]) => a - b)
    const begun = inOrder.map(([id]) => Array.from({ length: times }, () => this.begin(id)))
    for (const [index, [, duration]] of inOrder.entries()) {
      this.clock.advance(start + duration - this.clock.now())
      for (const attempt of begun[index]!) {
        this.respond(attempt)
        this.end(attempt)
      }
    }
  }

  /** `times` attempts fail without a response, at this instant. */
  fail(id: string, outcome: FailureReason = 'connect-refused', times = 1): void {
    const unreached: readonly FailureReason[] = ['connect-refused', 'connect-timeout', 'dns-failed', 'tls-failed']
    for (let index = 0; index < times; index++) {
      const attempt = this.begin(id)
      attempt.started = !unreached.includes(outcome)
      this.end(attempt, outcome)
    }
  }

  /** Those that have a veto, in the order of the set. */
  get out(): string {
    return this.balancer.backends
      .filter(({ vetoes }) => vetoes.length > 0)
      .map(({ id }) => id)
      .join('')
  }

  /** What was judged since this was last read: `a-` is bad, `a+` good again. */
  get judged(): string {
    return this.judgements
      .splice(0)
      .map(({ id, good }) => id + (good ? '+' : '-'))
      .join(' ')
  }

  of(id: string) {
    return this.detection.of(this.backend(id))
  }
}

/** Passive checks of these backends, each named by a letter; no timer may be left in the end. */
export function detecting(t: TestContext, ids: string, settings?: Settings): Detecting {
  const one = new Detecting(ids, settings)
  t.after(async () => {
    one.detection.stop()
    one.pauses.stop()
    assert.equal(one.clock.pending, 0, 'no timer is left')
    await one.balancer.close()
  })
  return one
}
