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
  /** What probes say of it; undefined when there are none. */
  readonly active: ActiveView | undefined
  /** What its traffic says of it. */
  readonly passive: OutlierView
  /** The last judgements, each with its evidence; the newest first, at most 20. */
  readonly history: readonly Judgement[]
}

/** An extension of the balancer that hears of every probe that says something. */
interface ProbeHearer {
  probed(backend: Backend, report: ProbeReport): void
}

/** The health of one balancer's backends: asked by probes, and read from the traffic. It acts by vetoes only. */
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
    // A connection alone says nothing of a process that hangs: the kernel accepts it.
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
   * Begins. With `initial: 'probe'` it resolves when every backend has answered a first probe, or after `limit` ms
   * (0 = no limit); those that have not are left alone until they do.
   */
  async start(limit: number): Promise<void> {
    this.#pauses.start()
    this.#passive.start()
    await this.#active?.start(limit)
  }

  /** Asks a backend at once; the answer counts like any other. @throws UnknownBackendError; NoProbesError */
  async probe(id: string): Promise<ProbeReport> {
    if (this.#active === undefined) throw new NoProbesError()
    return this.#active.probeNow(id)
  }

  /** Takes back what its traffic has said against a backend. @throws UnknownBackendError */
  forgive(id: string): void {
    this.#passive.lift(this.balancer.backend(id))
  }

  /** @throws UnknownBackendError */
  of(id: string): HealthView {
    return this.#view(this.balancer.backend(id))
  }

  /** What is known of every backend, in the order of the set. */
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
        this.#log?.error({ err: error, balancer: this.balancer.name, extension: name }, 'an extension threw')
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

/** Whatever is kept beside the balancer may hear of probes: a circuit breaker does. Names of extensions are not needed. */
function hearsOfProbes(extension: unknown): extension is ProbeHearer {
  return typeof (extension as Partial<ProbeHearer> | undefined)?.probed === 'function'
}
