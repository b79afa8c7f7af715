import { Agent } from 'node:http'
import type { TestContext } from 'node:test'
import { ask, type Question } from '../../support/ask.ts'
import { until } from '../../support/until.ts'

/** One GET, as its client saw it. */
export interface Sample {
  /** Of `performance.now`, in ms. */
  readonly startedAt: number
  /** In ms, without those in which this process was not let run: no backend is to blame for them. */
  readonly duration: number
  /** 0 when the connection ended before any status. */
  readonly status: number
  /** The response arrived to its proper end. */
  readonly whole: boolean
  /** The id of the backend, if it answered 200. */
  readonly body: string
}

/** At most so many wait for their answers at once. */
const mostOpen = 1000

/** A pulse that is late by more (ms) was kept waiting by the machine, whose cores others may take. */
const late = 50

/** GETs at a steady pace: one that waits for its answer does not hold up the next. */
export class SteadyLoad {
  /** Whatever has been answered, in the order of the answers. */
  readonly samples: Sample[] = []
  /** Those that wait for their answers. */
  open = 0
  readonly #agent = new Agent({ keepAlive: true })
  #timer: NodeJS.Timeout | undefined
  #isOver = false
  /** When the next pulse is due. */
  #due = 0
  /** For how long this process was not let run until the last pulse, in ms. */
  #lost = 0

  /** It is ended when the test ends; to be made before the app, since what is made first is closed first. */
  constructor(t: TestContext) {
    t.after(() => {
      clearInterval(this.#timer)
      this.#agent.destroy()
    })
  }

  /** One GET each `every` ms from now on. */
  begin(url: string, every = 4, question: Question = {}): void {
    this.#due = performance.now() + every
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#lost = this.#lostBy(now)
      this.#due = now + every
      if (!this.#isOver && this.open < mostOpen) void this.#ask(url, question)
    }, every)
  }

  /** Waits until so many more have been answered. */
  async more(count: number): Promise<void> {
    const goal = this.samples.length + count
    await until(`${count} more GETs are answered`, () => this.samples.length >= goal, 30_000)
  }

  /** No new ones; resolves when all have been answered. */
  async end(): Promise<void> {
    this.#isOver = true
    await until('all GETs are answered', () => this.open === 0, 30_000)
    clearInterval(this.#timer)
  }

  /** Those that were not answered with a whole 200. */
  get failed(): Sample[] {
    return this.samples.filter(({ status, whole }) => status !== 200 || !whole)
  }

  /** An answer may be seen before the pulse that is late with it. */
  #lostBy(now: number): number {
    return this.#lost + (now - this.#due > late ? now - this.#due : 0)
  }

  async #ask(url: string, question: Question): Promise<void> {
    this.open++
    const startedAt = performance.now()
    const lostBefore = this.#lostBy(startedAt)
    const { status, whole, body } = await ask(url, { ...question, agent: this.#agent })
    this.open--
    const endedAt = performance.now()
    const duration = endedAt - startedAt - (this.#lostBy(endedAt) - lostBefore)
    this.samples.push({ startedAt, duration, status, whole, body })
  }
}

/** The duration that 99 % do not exceed, in ms. */
export function p99(samples: readonly Sample[]): number {
  const durations = samples.map(({ duration }) => duration).sort((a, b) => a - b)
  return durations[Math.ceil(durations.length * 0.99) - 1] ?? 0
}
