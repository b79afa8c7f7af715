import { MemoryStore } from '@fastify-balancer/fleet'
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBackend } from '../../../../test/support/backend.ts'
import { counted, scrape, type Figures } from '../scrape.ts'
import { member, type Member, type Setup } from './stage.ts'

interface Step {
  readonly kind: 'count' | 'scrape' | 'leave' | 'kill' | 'join'
  readonly which: number
}

/** Instances that come, count and go. */
class Course {
  readonly #shared = new MemoryStore()
  readonly #setup: Setup
  readonly #present: Member[] = []
  readonly #killed: Member[] = []
  #last = 0
  #sent = 0
  /** Requests that no scrape has told of, by instance: they end with it if it is killed. */
  readonly #untold = new Map<Member, number>()
  #before: Figures = {}

  constructor(setup: Setup) {
    this.#setup = setup
  }

  async take({ kind, which }: Step): Promise<void> {
    const one = this.#present[which % this.#present.length]!
    if (kind === 'join') await this.join()
    else if (kind === 'count') await this.#count(one)
    else if (kind === 'scrape') await this.scrape(one)
    else if (this.#present.length > 1) await this.#end(one, kind)
  }

  async join(): Promise<void> {
    const joined = await member(String(++this.#last), this.#shared, this.#setup)
    await joined.app.ready()
    this.#present.push(joined)
  }

  async #count(one: Member): Promise<void> {
    await one.app.inject('/')
    this.#sent++
    this.#untold.set(one, (this.#untold.get(one) ?? 0) + 1)
  }

  async #end(one: Member, kind: 'leave' | 'kill'): Promise<void> {
    this.#present.splice(this.#present.indexOf(one), 1)
    if (kind === 'leave') return one.app.close()
    await one.kill()
    this.#killed.push(one)
    this.#sent -= this.#untold.get(one) ?? 0
  }

  /** No counter is lower than before, and all that was not lost with a killed instance is there. */
  async scrape(one = this.#present[0]!): Promise<void> {
    const figures = await scrape(one.app)
    this.#untold.clear()
    for (const [line, value] of Object.entries(this.#before))
      if (/_(?:total|bucket|count|sum)\{/.test(line))
        assert.ok(figures[line]! >= value, `${line}: ${value}, ${figures[line]}`)
    this.#before = figures
    const all = Object.values(counted(figures, 'fastify_balancer_requests_total'))
    assert.equal(all[0] ?? 0, this.#sent)
    const labels = '{balancer="default",backend="one"'
    for (const line of [
      `fastify_balancer_attempts_total${labels},outcome="ok"}`,
      `fastify_balancer_backend_response_seconds_count${labels}}`,
      `fastify_balancer_backend_response_seconds_bucket${labels},le="+Inf"}`,
    ])
      assert.equal(figures[line], this.#sent, line)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#present, ...this.#killed].map(({ app }) => app.close()))
  }
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind'][]>('count', 'count', 'scrape', 'leave', 'kill', 'join'),
    which: fc.nat(9),
  }),
  { maxLength: 25 },
)

test('no counter ever falls, and each is the exact sum, but for what killed instances had not told', async (t) => {
  const { url } = await startBackend(t)
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const course = new Course({ balancer: { backends: [{ id: 'one', url }] } })
      await course.join()
      try {
        for (const step of all) await course.take(step)
        await course.scrape()
      } finally {
        await course.close()
      }
    }),
    { numRuns: 20 },
  )
})
