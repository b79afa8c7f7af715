import type { Backend, Clock } from '@fastify-balancer/balancer-core'
import type { FastifyBaseLogger } from 'fastify'
import type { Judgement } from './judgement.ts'

/** So many of a kind have a line of their own within a period (ms): at night, thousands would bury what matters. */
const most = 10
const period = 1000

const words = { good: 'used again', bad: 'left alone' } as const

/** What followed the lines that were written: how many, and the first of them. */
interface Rest {
  lines: number
  count: number
  readonly first: string[]
}

/** Logs judgements: the first within a second one by one, those that follow in one line. */
export class JudgementLog {
  readonly #balancer: string
  readonly #clock: Clock
  readonly #log: FastifyBaseLogger
  readonly #rests = new Map<keyof typeof words, Rest>()
  #timer: unknown

  constructor(balancer: string, clock: Clock, log: FastifyBaseLogger) {
    this.#balancer = balancer
    this.#clock = clock
    this.#log = log
  }

  add({ id }: Backend, { by, good, rule, evidence }: Judgement): void {
    const kind = good ? 'good' : 'bad'
    let rest = this.#rests.get(kind)
    if (rest === undefined) this.#rests.set(kind, (rest = { lines: 0, count: 0, first: [] }))
    this.#timer ??= this.#clock.setTimeout(() => this.#summarise(), period)
    if (rest.lines++ < most) {
      this.#write(good, { balancer: this.#balancer, backend: id, by, evidence }, `${id} is ${words[kind]}: ${rule}`)
      return
    }
    if (rest.count++ < most) rest.first.push(`${id}: ${rule}`)
  }

  /** Writes what is left to be told. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#summarise()
  }

  #summarise(): void {
    this.#timer = undefined
    for (const [kind, { count, first }] of this.#rests) {
      if (count === 0) continue
      const others = count === 1 ? '1 more backend is' : `${count} more backends are`
      this.#write(kind === 'good', { balancer: this.#balancer, count, first }, `${others} ${words[kind]}`)
    }
    this.#rests.clear()
  }

  #write(good: boolean, figures: object, sentence: string): void {
    if (good) this.#log.info(figures, sentence)
    else this.#log.warn(figures, sentence)
  }
}
