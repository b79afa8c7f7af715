import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { startWeighedProxy } from './weighed-proxy.ts'

const never = () => {}
const total = 4000
const atOnce = 64

for (const lane of ['raw', 'full'] as const) {
  test(`after thousands of requests, of which many were broken off by either side, nothing is left: ${lane} lane`, async (t) => {
    const body = Buffer.alloc(100_000)
    const leaving = new Map<number, () => void>()
    const backend = await startBackend(t, (incoming, response) => {
      const number = Number(incoming.url!.slice(1))
      incoming.resume()
      incoming.on('end', () => {
        // One in twenty is reset, before the headers or within the body.
        if (number % 40 === 3) incoming.socket.resetAndDestroy()
        else if (number % 40 === 13) response.write(body, () => incoming.socket.resetAndDestroy())
        // One in twenty is given up by its client, before the headers or within the body.
        else if (number % 40 === 7) leaving.get(number)!()
        else if (number % 40 === 27) response.write(body)
        else response.end(number % 3 === 0 ? body : 'short')
      })
    })
    // So that a kept connection does not outlive the test's patience.
    const proxy = await startWeighedProxy(t, {
      lane,
      backends: [backend.url],
      pool: { connections: 32, keepAliveTimeout: 200 },
      timeouts: { queue: 0 },
    })
    const { resources: idle } = await proxy.untilHoldings('it is idle', ({ exchanges }) => exchanges === 0)
    const agent = new Agent({ keepAlive: true, maxSockets: atOnce })

    let asked = 0
    const statuses = new Map<number, number>()
    async function load(): Promise<void> {
      while (asked < total) {
        const number = asked++
        const method = number % 4 === 0 ? 'POST' : 'GET'
        await new Promise<void>((resolve) => {
          const outgoing = request(`${proxy.url}/${number}`, { method, agent })
          leaving.set(number, () => outgoing.destroy())
          outgoing.on('error', never)
          outgoing.on('close', resolve)
          outgoing.on('response', (response) => {
            statuses.set(response.statusCode!, (statuses.get(response.statusCode!) ?? 0) + 1)
            response.on('error', never)
            if (number % 40 === 27) response.once('data', () => response.destroy())
            else response.resume()
          })
          outgoing.end(method === 'POST' ? 'a body' : undefined)
        })
      }
    }
    await Promise.all(Array.from({ length: atOnce }, load))
    agent.destroy()

    const rest = await proxy.untilHoldings('nothing is left', (now) => {
      return now.exchanges === 0 && now.inFlight === 0 && now.resources.length <= idle.length
    })
    assert.deepEqual(rest.resources, idle)
    assert.deepEqual([rest.exchanges, rest.inFlight, rest.waiting], [0, 0, 0])
    assert.ok(statuses.get(200)! > total * 0.8)
    const [outcomes] = rest.outcomes
    // Each kind of end did occur, or the test would show nothing.
    assert.equal(outcomes!['client-gone'], total / 20)
    assert.equal(outcomes!['body-truncated'], total / 40)
    assert.ok((outcomes!['reset-before-headers'] ?? 0) + (outcomes!['stale-connection'] ?? 0) >= total / 40)
  })
}
