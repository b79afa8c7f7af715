import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { unusedOrigin } from '../../../../test/support/backend.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { until } from '../../../../test/support/until.ts'
import type { Veto } from '@fastify-balancer/balancer-core'
import { Client, cookiesOf, older, secret, startStage, stickyPolicy } from './stage.ts'

const sick = { by: 'health-check', reason: 'it is down' }

/** Clients, each bound to another backend, in the order of these. */
async function bound(url: string, count = 3): Promise<readonly Client[]> {
  const clients: Client[] = []
  for (let index = 0; index < count; index++) {
    const client = new Client(url)
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as they take turns
    await client.ask()
    clients.push(client)
  }
  return clients
}

/** The names of the backends that answer them. */
const backendsOf = (clients: readonly Client[]) => Promise.all(clients.map((client) => client.backend()))

test('clients stay with their first backends, and new ones are shared out as without it', async (t) => {
  const { url } = await startStage(t)
  const clients = await bound(url)
  for (let round = 0; round < 3; round++) assert.deepEqual(await backendsOf(clients), ['a', 'b', 'c'])
  // Bound requests have not taken turns of new ones.
  assert.deepEqual(await backendsOf(await bound(url, 4)), ['a', 'b', 'c', 'a'])
})

test('a token is told once, and again only when it is another', async (t) => {
  const { url, balancer } = await startStage(t)
  const client = new Client(url)
  assert.equal(cookiesOf(await client.ask()).length, 1)
  assert.deepEqual(cookiesOf(await client.ask()), [])
  const veto = balancer.veto(balancer.backend('a'), sick)
  const moved = await client.ask()
  assert.deepEqual([moved.body, cookiesOf(moved).length], ['b', 1])
  assert.deepEqual(cookiesOf(await client.ask()), [])
  // It stays where it is now, with the session that it has begun there.
  veto.lift()
  assert.equal(await client.backend(), 'b')
})

test('what is no token of this balancer counts as none, and tells nothing', async (t) => {
  const { url } = await startStage(t)
  const others = await startStage(t, { options: { name: 'other' } })
  const [client] = await bound(others.url, 1)
  const foreign = client!.cookies.get('srv')!
  const shortened = foreign.slice(1)
  const cookies = [
    `srv=${foreign}`,
    'srv=',
    'srv',
    `srv=${shortened}`,
    `srv=${'A'.repeat(43)}`,
    `srv=${'x'.repeat(8000)}`,
    `srv="${foreign}"`,
    'srv=%00%ff; srv=\u00e9',
    'srv=a; '.repeat(500),
    'srv=__proto__; srv=constructor',
  ]
  let turn = 0
  for (const cookie of cookies) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as they take turns
    const answer = await ask(url, { headers: { cookie } })
    assert.deepEqual([answer.status, answer.body, cookiesOf(answer).length], [200, 'abc'[turn++ % 3], 1], cookie)
  }
})

test('a token among several cookies of that name counts, so that nobody else can unbind a client by one of theirs', async (t) => {
  const { url } = await startStage(t)
  const [, client] = await bound(url, 2)
  const token = client!.cookies.get('srv')!
  for (const cookie of [`srv=forged; srv=${token}`, `srv=${'A'.repeat(43)}; srv=${token}`, `a=b; srv=${token}; srv=`])
    assert.equal((await ask(url, { headers: { cookie } })).body, 'b', cookie)
})

test('a draining backend keeps its own until the deadline, and gets nobody new', async (t) => {
  const clock = new ManualClock()
  const { url, balancer } = await startStage(t, { options: { clock, timeouts: { headers: 0, idle: 0 } } })
  const clients = await bound(url)
  void balancer.drain('a', { deadline: 60_000 })
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(await backendsOf(clients), ['a', 'b', 'c'])
    assert.ok(!(await backendsOf(await bound(url, 2))).includes('a'))
    clock.advance(19_999)
  }
  clock.advance(3)
  const moved = await clients[0]!.ask()
  assert.notEqual(moved.body, 'a')
  assert.equal(cookiesOf(moved).length, 1)
  balancer.ready('a')
  assert.equal(await clients[0]!.backend(), moved.body)
})

test('a kept connection that the draining backend has just closed costs a bound client nothing', async (t) => {
  const seen = new WeakSet<Socket>()
  let closes = false
  const listener = (name: string) => (request: IncomingMessage, response: ServerResponse) => {
    if (closes && name === 'a' && seen.has(request.socket)) return request.socket.destroy()
    seen.add(request.socket)
    return response.end(name)
  }
  // However slow this machine is, the connection is closed at once.
  const { url, balancer, backends } = await startStage(t, { listener, options: { clock: new ManualClock() } })
  const clients = await bound(url)
  void balancer.drain('a', { deadline: 0 })
  closes = true
  assert.deepEqual(await backendsOf(clients), ['a', 'b', 'c'])
  assert.equal(backends[0]!.received.length, 3)
})

test('maintenance and removal bind its clients to others; with `fail`, they get 503 and stay bound', async (t) => {
  for (const whenGone of ['redistribute', 'fail'] as const) {
    const { url, balancer, list } = await startStage(t, { settings: { whenGone } })
    const takeAway: readonly [() => unknown, () => unknown][] = [
      [() => balancer.maintain('a'), () => balancer.ready('a')],
      [() => balancer.setBackends(list.slice(1)), () => balancer.setBackends(list)],
      [() => (veto = balancer.veto(balancer.backend('a'), sick)), () => veto!.lift()],
    ]
    let veto: Veto | undefined
    for (const [take, giveBack] of takeAway) {
      let client = new Client(url)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      while ((await client.backend()) !== 'a') client = new Client(url)
      const { cookie } = client
      await take()
      const answer = await client.ask()
      assert.equal(answer.status, whenGone === 'fail' ? 503 : 200)
      assert.equal(cookiesOf(answer).length, whenGone === 'fail' ? 0 : 1)
      assert.equal(balancer.explain({ headers: { cookie } }).policy['isGone'], true)
      // For others, nothing has changed.
      assert.equal((await ask(url)).status, 200)
      assert.equal((await ask(url, { headers: { cookie: `srv=${'A'.repeat(43)}` } })).status, 200)
      await giveBack()
      assert.equal((await client.backend()) === 'a', whenGone === 'fail')
    }
  }
})

test('in panic, a client stays with its backend', async (t) => {
  const { url, balancer } = await startStage(t)
  const clients = await bound(url)
  for (const backend of balancer.backends) balancer.veto(backend, sick)
  assert.equal(balancer.set.panicking, true)
  assert.deepEqual(await backendsOf(clients), ['a', 'b', 'c'])
})

test('a client that began at a backup stays there when the preferred ones are back', async (t) => {
  const { url, balancer, list } = await startStage(t)
  await balancer.setBackends(list.map((one, index) => ({ ...one, priority: index })))
  const veto = balancer.veto(balancer.backend('a'), sick)
  const client = new Client(url)
  assert.equal(await client.backend(), 'b')
  veto.lift()
  assert.equal(await client.backend(), 'b')
  assert.equal((await ask(url)).body, 'a')
})

/** Backends that hold what is asked of `/held`, one of each. */
function holding() {
  const held = new Map<string, ServerResponse>()
  const listener = (name: string) => (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/held') held.set(name, response)
    else response.end(name)
  }
  return { held, listener }
}

test('while its backend is full, a client waits for it; others do not, and need not wait for that', async (t) => {
  const { held, listener } = holding()
  const { url, balancer, list } = await startStage(t, { listener, names: ['a', 'b'] })
  await balancer.setBackends(list.map((one) => ({ ...one, maxInFlight: 1 })))
  const [client] = await bound(url, 1)
  const holder = client!.ask('/held')
  await until('it is under way', () => held.size === 1)
  const explained = balancer.explain({ headers: { cookie: client!.cookie } })
  assert.deepEqual([explained.picked, explained.policy['bound']], [null, 'a'])
  const waiting = client!.ask('/after')
  await until('it waits', () => balancer.queue.length === 1)
  assert.equal((await ask(url)).body, 'b')
  assert.equal((await ask(url)).body, 'b')
  assert.equal(balancer.queue.length, 1)
  held.get('a')!.end('held')
  assert.deepEqual([(await holder).body, (await waiting).body], ['held', 'a'])
})

test('a place elsewhere that becomes free is for others, and the one that it waits for is its own', async (t) => {
  const { held, listener } = holding()
  const { url, balancer, list } = await startStage(t, { listener, names: ['a', 'b'] })
  await balancer.setBackends(list.map((one) => ({ ...one, maxInFlight: 1 })))
  const [atA, atB] = await bound(url, 2)
  const holders = [atA!.ask('/held'), atB!.ask('/held')]
  await until('both are under way', () => held.size === 2)
  const own = atA!.ask()
  await until('it waits', () => balancer.queue.length === 1)
  const other = ask(url)
  await until('both wait', () => balancer.queue.length === 2)
  // The client of `a` has waited longer, and is passed over.
  held.get('b')!.end()
  assert.equal((await other).body, 'b')
  assert.equal(balancer.queue.length, 1)
  held.get('a')!.end()
  assert.equal((await own).body, 'a')
  await Promise.all(holders)
})

test('with `fail`, who waits for a backend that goes meanwhile gets no other', async (t) => {
  const clock = new ManualClock()
  const { held, listener } = holding()
  const { url, balancer, list } = await startStage(t, {
    listener,
    names: ['a', 'b'],
    settings: { whenGone: 'fail' },
    options: { clock, timeouts: { queue: 5000, headers: 0, idle: 0 } },
  })
  await balancer.setBackends(list.map((one) => ({ ...one, maxInFlight: 1 })))
  const [atA] = await bound(url, 1)
  const holder = atA!.ask('/held')
  await until('it is under way', () => held.size === 1)
  const waiting = atA!.ask('/after')
  await until('it waits', () => balancer.queue.length === 1)
  balancer.veto(balancer.backend('a'), sick)
  assert.equal((await ask(url)).body, 'b')
  assert.equal(balancer.queue.length, 1)
  clock.advance(5000)
  assert.equal((await waiting).status, 503)
  // At once, now that it is known.
  assert.equal((await atA!.ask()).status, 503)
  held.get('a')!.end()
  await holder
})

test('a client whose backend cannot be reached is bound to the one that answers; with `fail`, to none', async (t) => {
  for (const whenGone of ['redistribute', 'fail'] as const) {
    const { url, balancer, list, backends } = await startStage(t, { settings: { whenGone }, names: ['a', 'b'] })
    const [client] = await bound(url, 1)
    const { cookie } = client!
    await backends[0]!.stop()
    await balancer.setBackends([{ url: await unusedOrigin(), id: 'a' }, list[1]!])
    const answer = await client!.ask()
    if (whenGone === 'fail') {
      assert.deepEqual([answer.status, client!.cookie, cookiesOf(answer)], [502, cookie, []])
      assert.equal(backends[1]!.received.length, 0)
    } else {
      assert.deepEqual([answer.status, answer.body, cookiesOf(answer).length], [200, 'b', 1])
      assert.equal(await client!.backend(), 'b')
    }
  }
})

test('the token of an old secret is known, and replaced by one of the new; once that is removed, it is not', async (t) => {
  const { url, balancer, list } = await startStage(t, { settings: { secret: [older] } })
  const rotate = async (...secrets: readonly string[]) =>
    (await balancer.prepare({ backends: list, policy: stickyPolicy({ secret: secrets }) })).commit()
  const [, lazy, client] = await bound(url)
  const before = client!.cookie
  await rotate(secret, older)
  const answer = await client!.ask()
  assert.deepEqual([answer.body, cookiesOf(answer).length], ['c', 1])
  assert.notEqual(client!.cookie, before)
  assert.deepEqual(cookiesOf(await client!.ask()), [])
  await rotate(secret)
  assert.equal(await client!.backend(), 'c')
  // This one has not come while both were known.
  assert.equal(cookiesOf(await lazy!.ask()).length, 1)
})

test('another instance with the same secret, name and ids knows the tokens of this one', async (t) => {
  const one = await startStage(t)
  const other = await startStage(t)
  const [, client] = await bound(one.url, 2)
  for (let round = 0; round < 3; round++)
    assert.equal((await ask(other.url, { headers: { cookie: client!.cookie } })).body, 'b')
})

test('a request shows where its client is bound to', async (t) => {
  const { url, balancer } = await startStage(t)
  const [, client] = await bound(url, 2)
  const explain = (cookie: string) => {
    const { picked, policy } = balancer.explain({ headers: { cookie } })
    return { picked, policy }
  }
  const policy = { name: 'sticky', policy: 'round-robin', bound: null, isGone: false }
  assert.deepEqual(explain(''), { picked: 'c', policy })
  assert.deepEqual(explain('srv=forged'), { picked: 'c', policy })
  assert.deepEqual(explain(client!.cookie), { picked: 'b', policy: { ...policy, bound: 'b' } })
  void balancer.drain('b', { deadline: 0 })
  assert.deepEqual(explain(client!.cookie), { picked: 'b', policy: { ...policy, bound: 'b' } })
  await balancer.maintain('b')
  assert.deepEqual(explain(client!.cookie), { picked: 'c', policy: { ...policy, isGone: true } })
})
