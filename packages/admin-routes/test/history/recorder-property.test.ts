import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ranges, type Range } from '../../src/history/resolutions.ts'
import { HistoryView } from '../../src/schemas/past-views.ts'
import { assertIs } from '../stage.ts'
import { FakeBackend, Recording, type View } from './fakes.ts'
import { Model } from './model.ts'

const minute = 60_000
const hour = 60 * minute

const ids = ['a', 'b', 'c'] as const
type Id = (typeof ids)[number]
const id = fc.constantFrom(...ids)
const status = fc.constantFrom(0, 101, 200, 204, 302, 404, 500, 503)
const duration = fc.double({ min: 0.2, max: 100_000, noNaN: true })
/** From parts of a step to days, and just to the end of a step. */
const span = fc.oneof(
  fc.integer({ min: 1, max: 15_000 }),
  fc.constantFrom(10_000, minute, 10 * minute, hour, 6 * hour),
  fc.integer({ min: 1, max: 30 * hour }),
)
const range = fc.constantFrom(...(Object.keys(ranges) as Range[]))

const type = <Name extends string>(name: Name) => fc.constant(name)

const move = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: type('request'), status, duration, retries: fc.nat(2) }) },
  { weight: 6, arbitrary: fc.record({ type: type('attempt'), id, status, duration }) },
  { weight: 5, arbitrary: fc.record({ type: type('advance'), span }) },
  { weight: 2, arbitrary: fc.record({ type: type('pause'), span }) },
  { weight: 2, arbitrary: fc.record({ type: type('load'), id, inFlight: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ type: type('come or go'), id }) },
  { weight: 2, arbitrary: fc.record({ type: type('read'), range }) },
)
type Move = typeof move extends fc.Arbitrary<infer One> ? One : never

const exact = ['failed', 'retries', 'refused', 'inFlight'] as const
const percentiles = ['p50', 'p95', 'p99'] as const

function assertNear(told: readonly (number | null)[], expected: readonly (number | null)[], what: string): void {
  for (const [index, value] of expected.entries()) {
    const near = value === null ? told[index] === null : Math.abs(told[index]! - value) <= 0.044 * value + 0.001
    assert.ok(near, `${what}: ${told[index]} for ${value}`)
  }
}

/** Has some columns of the model's names. */
function assertColumns(told: Record<string, unknown>, expected: Record<string, (number | null)[]>, what: string): void {
  assert.deepEqual(told.requests ?? told.attempts, expected.ended, what)
  for (const [name, values] of Object.entries(told.responses as object))
    assert.deepEqual(values, expected[name], `${what} ${name}`)
  for (const name of exact) if (name in told) assert.deepEqual(told[name], expected[name], `${what} ${name}`)
  for (const name of percentiles)
    if (name in told) assertNear(told[name] as (number | null)[], expected[name]!, `${what} ${name}`)
}

class Play {
  readonly recording: Recording
  readonly model: Model
  readonly #backends = Object.fromEntries(ids.map((one) => [one, new FakeBackend(one)])) as Record<Id, FakeBackend>

  constructor(begin: number) {
    this.recording = new Recording(begin)
    this.model = new Model(begin)
    this.recording.balancer.backends = Object.values(this.#backends)
  }

  async do(done: Move): Promise<void> {
    const { recording, model } = this
    const { clock } = recording.balancer
    switch (done.type) {
      case 'request':
        recording.request(done.status, done.duration, done.retries, done.status === 503 ? 'queue-full' : 'ok')
        model.requests.push({ ...done, at: recording.now, failed: done.status >= 500, refused: done.status === 503 })
        break
      case 'attempt':
        this.#attempt(done)
        break
      case 'advance':
        clock.advance(done.span)
        model.runs.at(-1)![1] = recording.now
        break
      case 'pause':
        clock.pause(done.span)
        model.runs.push([recording.now, recording.now])
        break
      case 'load':
        this.#load(this.#backends[done.id], done.inFlight)
        break
      case 'come or go':
        this.#comeOrGo(this.#backends[done.id])
        break
      case 'read':
        await this.compare(done.range)
    }
  }

  #attempt({ id: of, status: answered, duration: took }: { id: Id; status: number; duration: number }): void {
    const { recording, model } = this
    recording.attempt(this.#backends[of], answered, took)
    const all = model.attempts.get(of) ?? []
    model.attempts.set(of, all)
    all.push({
      at: recording.now,
      failed: answered === 0 || answered >= 500,
      status: answered,
      duration: answered === 0 ? undefined : took,
      retries: 0,
      refused: false,
    })
  }

  #load(backend: FakeBackend, inFlight: number): void {
    const { balancer, now: at } = this.recording
    // One without a request has nothing in flight, nor has one that is not there.
    if (backend.requests === 0 || !balancer.has(backend)) return
    balancer.exchanges += inFlight - backend.inFlight
    backend.inFlight = inFlight
    this.model.loads.push({ at, of: backend.id, inFlight }, { at, of: '', inFlight: balancer.exchanges })
  }

  async compare(asked: Range): Promise<void> {
    const told = await this.recording.read(asked)
    const expected = this.model.read(asked)
    assertIs(HistoryView, told)
    assert.deepEqual([told.times, told.step, told.at], [expected.times, expected.step, this.recording.now])
    assertColumns(told.totals, expected.totals, `totals ${asked}`)
    const byId = (one: View['backends'][number]) => one.id
    assert.deepEqual(told.backends.map(byId).toSorted(), [...expected.backends.keys()].toSorted())
    for (const one of told.backends) assertColumns(one, expected.backends.get(one.id)!, `${one.id} ${asked}`)
  }

  /** One that goes has finished; another one comes with its id. */
  #comeOrGo(backend: FakeBackend): void {
    const { balancer } = this.recording
    if (balancer.has(backend)) {
      if (backend.inFlight > 0) return
      balancer.backends = balancer.backends.filter((one) => one !== backend)
      return
    }
    const next = new FakeBackend(backend.id)
    this.#backends[backend.id as Id] = next
    balancer.backends = [...balancer.backends, next]
  }
}

test('whatever happens, each range tells what a list of everything would', async () => {
  const begin = 1_700_000_000_000 - (1_700_000_000_000 % (10 * minute))
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 20 * minute }),
      fc.array(move, { maxLength: 60 }),
      async (after, moves) => {
        const play = new Play(begin + after)
        for (const one of moves) await play.do(one)
        for (const one of Object.keys(ranges) as Range[]) await play.compare(one)
      },
    ),
    { seed: 14, numRuns: 40 },
  )
})
