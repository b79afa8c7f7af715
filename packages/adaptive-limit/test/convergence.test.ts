import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gradient2 } from '../src/algorithms/gradient2.ts'
import { SimulatedServer } from './simulated-server.ts'

const settings = { initial: 20, min: 3, tolerance: 1.5 }
const minute = 60_000

/**
 * Where the limit must end: with n slots and a constant service time s, `limit` requests in flight take s × limit / n. The
 * limit rests where limit × (1 − 1.5 s / (s × limit / n)) = 4, at 1.5 n + 4; but since the gradient is never below a
 * half, not below 8. Whole requests make that ± 1.
 */
const restOf = (slots: number) => Math.max(1.5 * slots + 4, 8)

function within(server: SimulatedServer, slots: number, tolerance = 1): void {
  const rest = restOf(slots)
  assert.ok(Math.abs(server.limit - rest) <= tolerance, `${server.limit}, not ${rest} ± ${tolerance}`)
}

/** Ends the window at a quarter, if there is one. */
function settle(server: SimulatedServer): void {
  while (server.control.view('').isMeasuring) server.run(1000)
}

for (const slots of [2, 8, 30]) {
  test(`a server of ${slots} slots under overload`, () => {
    const server = new SimulatedServer(slots, () => 50, new Gradient2(settings))
    server.run(4 * minute)
    settle(server)
    within(server, slots)
    const times = server.run(20_000).toSorted((one, other) => one - other)
    // As many turns as that many requests need at these slots.
    assert.ok(times.at(-1)! <= 50 * Math.ceil((restOf(slots) + 1) / slots), `${times.at(-1)}`)
  })
}

test('an overload of an hour does not become usual', () => {
  const server = new SimulatedServer(4, () => 50, new Gradient2(settings))
  for (let minutes = 0; minutes < 60; minutes++) {
    server.run(minute)
    if (minutes < 5) continue
    settle(server)
    within(server, 4)
  }
})

test('a server that becomes slower or faster during overload is measured anew', () => {
  const server = new SimulatedServer(8, () => 50, new Gradient2(settings))
  for (const service of [50, 200, 20]) {
    server.service = () => service
    server.run(2 * minute)
    settle(server)
    within(server, 8)
  }
})

test('random service times: the limit stays in the band that their spread allows', () => {
  let state = 7
  const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32
  const server = new SimulatedServer(10, () => -50 * Math.log(1 - random()), new Gradient2(settings))
  server.run(2 * minute)
  for (let minutes = 0; minutes < 10; minutes++) {
    server.run(minute)
    settle(server)
    // A window at a quarter, of 4 requests, has about 80 responses: their average is right within 3 / √80 = a third.
    const usual = 1.5 * 10
    assert.ok(server.limit >= usual * (2 / 3) && server.limit <= usual * (4 / 3) + 4 + 3, `${server.limit}`)
  }
})

test('with little to do, the limit stays where it is', () => {
  const server = new SimulatedServer(8, () => 50, new Gradient2(settings))
  server.demand = 9
  server.run(10 * minute)
  assert.equal(server.limit, 20)
})

test('what the server can do is found when the load comes after a calm time', () => {
  const server = new SimulatedServer(30, () => 50, new Gradient2(settings))
  server.demand = 15
  server.run(minute)
  server.demand = Infinity
  server.run(2 * minute)
  settle(server)
  within(server, 30)
  server.maxInFlight = 25
  server.run(minute)
  settle(server)
  assert.equal(server.limit, 25)
})
