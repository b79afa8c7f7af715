import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import { Pauses, spoken } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'
import { ActiveCheck, type ProbeListener } from './active/active-check.ts'
import { InconclusiveLog } from './active/inconclusive-log.ts'
import type { ProbeReport } from './probe/probing.ts'
import type { ActiveView } from './active/health-record.ts'
import { NoProbesError } from './errors.ts'
import { History } from './judgement/history.ts'
import type { Judgement } from './judgement/judgement.ts'
import type { ParsedOptions } from './options.ts'
import { OutlierDetection } from './passive/outlier-detection.ts'
import type { OutlierView } from './passive/outlier-view.ts'
import type { TimedEvidence } from './passive/timed-vetoes.ts'

/** What is known of one backend's health. */
export interface HealthView {
  readonly id: string
  /** State by probes; undefined without probes. */
  readonly active: ActiveView | undefined
  /** State by passive checks. */
  readonly passive: OutlierView
  /** The last judgements, each with its evidence; the newest first, at most 20. */
  readonly history: readonly Judgement[]
}

/** An extension of the balancer that gets every conclusive probe. */
interface ProbeHearer {
  probed(backend: Backend, report: ProbeReport): void
}

/** The health of one balancer's backends, from probes and from traffic. It acts by vetoes only. */
export class HealthCheck {
  readonly balancer: Balancer
  readonly #log: FastifyBaseLogger | undefined
  readonly #history = new History()
  readonly #active: ActiveCheck | undefined
  readonly #passive: OutlierDetection
  readonly #pauses: Pauses
  readonly #inconclusive: InconclusiveLog

  constructor(balancer: Balancer, options: ParsedOptions, log?: FastifyBaseLogger) {
    this.balancer = balancer
    this.#log = log
    const pauses = new Pauses(balancer.clock)
    const judge = (backend: Backend, judgement: Judgement) => this.#judge(backend, judgement)
    const passive = new OutlierDetection(balancer, options.outliers, options.pressure, judge, pauses)
    const asks = options.type !== 'none' || options.probe !== undefined
    const probed: ProbeListener = (...probe) => this.#probed(...probe)
    const active = asks ? new ActiveCheck(balancer, options, judge, probed, pauses) : undefined
    // A TCP connect proves nothing about a hanging process: the kernel accepts it.
    if (options.type === 'http' || options.probe !== undefined) passive.askWith((backend) => active?.ask(backend))
    this.#pauses = pauses
    this.#inconclusive = new InconclusiveLog(balancer.clock, log)
    this.#passive = passive
    this.#active = active
    balancer
      .addHook('onAttemptStart', function healthCheck(attempt) {
        passive.attemptStarted(attempt)
      })
      .addHook('onAttemptResponse', function healthCheck(attempt) {
        passive.attemptResponded(attempt)
      })
      .addHook('onAttemptEnd', function healthCheck(attempt) {
        passive.attemptEnded(attempt)
        if (attempt.blame === 'backend' && attempt.status === 0) active?.suspect(attempt.backend)
      })
      .addHook('onBackendsPropose', function healthCheck(candidates) {
        return active?.judgeNewcomers(candidates)
      })
      .addHook('onBackendsChange', function healthCheck(now, before) {
        active?.backendsChanged(now, before)
        passive.backendsChanged(now, before)
      })
  }

  /**
   * Starts. With `initial: 'probe'` it resolves when the first probe of every backend has ended, or after `limit` ms (0
   * = no limit); backends without a result get no traffic until they have one.
   */
  async start(limit: number): Promise<void> {
    this.#pauses.start()
    this.#passive.start()
    await this.#active?.start(limit)
  }

  /** Probes a backend at once; the result counts like any other. @throws UnknownBackendError; NoProbesError */
  async probe(id: string): Promise<ProbeReport> {
    if (this.#active === undefined) throw new NoProbesError()
    return this.#active.probeNow(id)
  }

  /** Ends an ejection or pause by passive checks. @throws UnknownBackendError */
  forgive(id: string): void {
    this.#passive.lift(this.balancer.backend(id))
  }

  /** @throws UnknownBackendError */
  of(id: string): HealthView {
    return this.#view(this.balancer.backend(id))
  }

  /** The state of every backend, in the order of the set. */
  toJSON(): readonly HealthView[] {
    return this.balancer.backends.map((backend) => this.#view(backend))
  }

  /** Ends all probes and timers. */
  stop(): void {
    this.#active?.stop()
    this.#passive.stop()
    this.#pauses.stop()
  }

  #view(backend: Backend): HealthView {
    return {
      id: backend.id,
      active: this.#active?.of(backend),
      passive: this.#passive.of(backend),
      history: this.#history.of(backend),
    }
  }

  #probed(backend: Backend, report: ProbeReport, changed: boolean): void {
    const { good, inconclusive } = report
    if (inconclusive !== undefined) {
      this.#inconclusive.add(this.balancer.name, backend, inconclusive, report)
      this.#passive.noProbe(backend)
      return
    }
    if (good) this.#passive.goodProbe(backend, changed, report.timings.took)
    for (const [name, extension] of this.balancer.extensions) {
      try {
        if (hearsOfProbes(extension)) extension.probed(backend, report)
      } catch (error) {
        this.#log?.error(
          { err: error, balancer: this.balancer.name, extension: name },
          'an extension of the balancer threw an error',
        )
      }
    }
  }

  #judge(backend: Backend, judgement: Judgement): void {
    this.#history.add(backend, judgement)
    const { by, good, rule, evidence } = judgement
    const figures = { balancer: this.balancer.name, backend: backend.id, by, evidence }
    if (good) this.#log?.info(figures, `backend ${backend.id} ${statusOf(backend)}: ${rule}`)
    else this.#log?.warn(figures, `backend ${backend.id} ${verdictOf(judgement)}: ${rule}`)
  }
}

/** A check has nothing against a backend any more, but another one may. */
function statusOf({ vetoes }: Backend): string {
  if (vetoes.length === 0) return 'back in rotation'
  return `passes this check, but is kept out by ${[...new Set(vetoes.map(({ by }) => by))].join(', ')}`
}

/** What is done about a backend, and for how long. */
function verdictOf({ by, at, evidence }: Judgement): string {
  if (by === 'health-check') return 'unhealthy'
  const { until = at } = evidence as TimedEvidence
  return `${by === 'pressure' ? 'paused' : 'ejected'} for ${spoken(until - at)}`
}

/**
 * Any extension of the balancer may get probes; the circuit breaker does. It is recognised by its method, not by name.
 */
function hearsOfProbes(extension: unknown): extension is ProbeHearer {
  return typeof (extension as Partial<ProbeHearer> | undefined)?.probed === 'function'
}
