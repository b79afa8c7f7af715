import { Balancer } from '@fastify-balancer/balancer-core'
import { Pauses } from '@fastify-balancer/option-schema'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { BackendCircuit } from '../../src/backend/backend-circuit.ts'
import { parseOptions } from '../../src/options.ts'
import { AttemptRecord } from '../../../balancer-core/src/attempt/attempt-record.ts'
import type { Attempt } from '@fastify-balancer/balancer-core'

/** A clock that goes on by `tick` ms with each look at it, as a real one does. */
class TickingClock extends ManualClock {
  tick = 0

  override now(): number {
    if (this.tick > 0) this.stop(this.tick)
    return super.now()
  }
}

// The end of an open circuit may come at any of the looks at the clock of one reading.
for (let look = 1; look <= 24; look++)
  test(`a circuit that becomes half-open at look ${look} keeps no veto`, async (t) => {
    const clock = new TickingClock(1000)
    const balancer = new Balancer({ backends: [{ id: 'a', url: 'http://a.test' }], clock, random: () => 0.5 })
    const [backend] = balancer.backends
    const { settings } = parseOptions({ failures: 1, openFor: 1000, jitter: 0 })
    const circuit = new BackendCircuit(balancer, backend!, settings, new Pauses(clock), () => {})
    t.after(async () => {
      circuit.stop()
      await balancer.close()
    })
    const attempt = Object.assign(new AttemptRecord(backend!, 1), {
      startedAt: clock.now(),
      endedAt: clock.now(),
      outcome: 'connect-refused' as const,
    }) as unknown as Attempt
    circuit.end(circuit.start(attempt)!, attempt)
    assert.deepEqual([circuit.view.state, backend!.vetoes.length], ['open', 1])
    // Another reason to look at it, such as changed options, just before its time is over.
    clock.stop(1000 - look * 0.01)
    clock.tick = 0.01
    circuit.configure(settings)
    clock.tick = 0
    clock.advance(1)
    assert.deepEqual([circuit.view.state, backend!.vetoes.map(({ reason }) => reason)], ['half-open', []])
  })
