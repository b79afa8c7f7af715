import type { Backend, Clock } from '@fastify-balancer/balancer-core'
import type { FastifyBaseLogger } from 'fastify'
import { spoken } from '@fastify-balancer/option-schema'
import type { TimedEvidence } from './passive/timed-vetoes.ts'
import type { Judgement } from './judgement/judgement.ts'

/** At most this many lines of a kind are written within a period (ms); the others are summarised in one. */
const most = 10
const period = 1000

const kinds = { good: 'back in rotation', bad: 'unhealthy or ejected', spared: 'unhealthy but not ejected' } as const

/** One check accepts a backend again, but another one may not. */
function recovery({ id, vetoes }: Backend, { by, rule }: Judgement): string {
  if (vetoes.length === 0) return `backend ${id} back in rotation: ${rule}`
  const others = [...new Set(vetoes.map((veto) => veto.by))].join(', ')
  return `backend ${id} still kept out by ${others}; no longer by ${by}: ${rule}`
}

/** What is done about a backend, and for how long. */
function verdictOf({ by, at, evidence }: Judgement): string {
  if (by === 'health-check') return 'unhealthy'
  const { until = at } = evidence as TimedEvidence
  return `${by === 'pressure' ? 'paused' : 'ejected'} for ${spoken(until - at)}`
}

/** What followed the lines that were written: how many, and the first of them. */
interface Rest {
  lines: number
  count: number
  readonly first: string[]
}

/** Logs judgements: the first ten of a second one by one, the others in one line. Those that another instance logs are for `debug`. */
export class JudgementLog {
  readonly #balancer: string
  readonly #clock: Clock
  readonly #log: FastifyBaseLogger
  readonly #rests = new Map<keyof typeof kinds, Rest>()
  #timer: unknown

  constructor(balancer: string, clock: Clock, log: FastifyBaseLogger) {
    this.#balancer = balancer
    this.#clock = clock
    this.#log = log
  }

  add(backend: Backend, judgement: Judgement, isTold = false): void {
    const { id } = backend
    const { by, good, rule, evidence } = judgement
    const sentence = good ? recovery(backend, judgement) : `backend ${id} ${verdictOf(judgement)}: ${rule}`
    const figures = { backend: id, by, evidence }
    if (isTold) this.#log.debug({ balancer: this.#balancer, ...figures }, sentence)
    else this.#add(good ? 'good' : 'bad', figures, sentence, `${id}: ${rule}`)
  }

  /** An unhealthy backend is not ejected, for this reason. */
  addSpared({ id }: Backend, reason: string): void {
    const figures = { backend: id, by: 'outlier-detection', reason }
    this.#add('spared', figures, `backend ${id} ${kinds.spared}: ${reason}`, `${id}: ${reason}`)
  }

  /** `brief`: for a summary. */
  #add(kind: keyof typeof kinds, figures: object, sentence: string, brief: string): void {
    let rest = this.#rests.get(kind)
    if (rest === undefined) this.#rests.set(kind, (rest = { lines: 0, count: 0, first: [] }))
    this.#timer ??= this.#clock.setTimeout(() => this.#summarise(), period)
    if (rest.lines++ < most) this.#write(kind === 'good', { balancer: this.#balancer, ...figures }, sentence)
    else if (rest.count++ < most) rest.first.push(brief)
  }

  /** Writes the summary that is due. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#summarise()
  }

  #summarise(): void {
    this.#timer = undefined
    for (const [kind, { count, first }] of this.#rests) {
      if (count === 0) continue
      const others = count === 1 ? '1 more backend' : `${count} more backends`
      this.#write(kind === 'good', { balancer: this.#balancer, count, first }, `${others} ${kinds[kind]}`)
    }
    this.#rests.clear()
  }

  #write(good: boolean, figures: object, sentence: string): void {
    if (good) this.#log.info(figures, sentence)
    else this.#log.warn(figures, sentence)
  }
}
