import assert from 'node:assert/strict'
import { Agent, get, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { startBackend } from '../../../../test/support/backend.ts'
import { described, reloading, type FileText } from './reloading.ts'

const reloads = 200
const clients = 8

/** A backend, with how many of the connections that have carried a request were closed. */
async function watched(t: TestContext, id: string) {
  const carried = new Set<Socket>()
  let closed = 0
  const backend = await startBackend(t, (request: IncomingMessage, response) => {
    // Each probe has a connection of its own.
    if (request.method === 'GET' && !carried.has(request.socket)) {
      carried.add(request.socket)
      request.socket.once('close', () => closed++)
    }
    response.end(id)
  })
  // Node's own 5 s would close what the load leaves idle.
  backend.server.keepAliveTimeout = 600_000
  return { id, url: backend.url, closed: () => closed, connections: () => carried.size }
}

/** Asks again and again, each time the last answer is whole, until the test is done. */
function load(url: string, isDone: () => boolean) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const failures: string[] = []
  let answers = 0
  const ask = () =>
    new Promise<void>((resolve) => {
      get(url, { agent }, (response) => {
        response.resume().once('close', () => {
          answers++
          if (response.statusCode !== 200 || !response.complete) failures.push(String(response.statusCode))
          resolve()
        })
      }).on('error', (error) => {
        failures.push(error.message)
        resolve()
      })
    })
  const run = async () => {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    while (!isDone()) await ask()
  }
  const done = Promise.all(Array.from({ length: clients }, run)).finally(() => agent.destroy())
  return { done, failures, answers: () => answers }
}

const policies = ['round-robin', 'p2c', 'least-requests', 'random', 'weighted']

test('reloaded 200 times under load, a third of the files faulty: no request fails, no connection of a kept backend closes, the last good file is in force', async (t) => {
  const kept = await Promise.all(['a', 'b'].map((id) => watched(t, id)))
  const guest = await watched(t, 'guest')
  const good = (round: number): Record<string, unknown> => ({
    ...described({
      name: 'web',
      policy: policies[round % policies.length],
      backends: [
        ...kept.map(({ id, url }) => ({ id, url, weight: 1 + (round % 3) })),
        ...(round % 4 === 0 ? [{ id: guest.id, url: guest.url }] : []),
      ],
      pool: { keepAliveTimeout: 600_000, connections: 64 + (round % 2) },
      timeouts: { connect: 2000 + round, headers: 20_000 + round, idle: round % 2 === 0 ? 60_000 : 0 },
      retry: { attempts: round % 3 },
      healthCheck: round % 5 === 0 ? false : { interval: 1000 + round, rise: 1 + (round % 3) },
      circuitBreaker: round % 7 === 0 ? false : { failures: 3 + (round % 3) },
      forwarded: { via: round % 2 === 0 },
    }),
    log: { form: 'off', level: round % 2 === 0 ? 'info' : 'warn' },
  })
  const faulty = (round: number): FileText => {
    const file = good(round)
    const kinds: FileText[] = [
      'balancers: [{ name: web, backends: [',
      { ...file, nonsense: true },
      described({ name: 'web', backends: [] }),
      described({ name: 'web', backends: [kept[0]!.url], policy: 'best' }),
      { ...file, listen: [{ port: 0, tls: { cert: 'not-there.pem', key: 'not-there.pem' } }] },
      described({ name: 'web', backends: kept.map(({ url }) => url), healthCheck: { path: 'no-slash' } }),
    ]
    return kinds[round % kinds.length]!
  }
  const { reload, server, url } = await reloading(t, good(1))
  const [a, b] = server.balancers.get('web')!.backends
  let isDone = false
  const { done, failures, answers } = load(url, () => isDone)
  let inForce = 1
  for (let round = 2; round <= reloads + 1; round++) {
    const isFaulty = round % 3 === 0
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { applied, faults } = await reload(isFaulty ? faulty(round) : good(round))
    assert.equal(applied, !isFaulty, `${round}: ${faults.join('; ')}`)
    if (!isFaulty) inForce = round
    const { options, policy } = server.balancers.get('web')!
    assert.deepEqual(
      [policy.name, options.timeouts.headers, options.timeouts.connect],
      [policies[inForce % policies.length], 20_000 + inForce, 2000 + inForce],
    )
  }
  isDone = true
  await done
  assert.deepEqual(failures, [])
  assert.ok(answers() > reloads, `${answers()} answers`)
  for (const one of kept) {
    assert.equal(one.closed(), 0, `${one.id} has lost connections`)
    assert.ok(one.connections() > 0 && one.connections() <= clients, `${one.connections()} connections to ${one.id}`)
  }
  const [now, other] = server.balancers.get('web')!.backends
  assert.deepEqual([now, other], [a, b])
  const counted = server.balancers.get('web')!.backends.reduce((sum, { requests }) => sum + requests, 0)
  assert.ok(counted <= answers() && now!.inFlight === 0)
})
