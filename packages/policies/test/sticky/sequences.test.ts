// Whatever happens in which order, a model says where each client must be answered.
import balancer, { Balancer, type Veto } from '@fastify-balancer/balancer-core'
import * as fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { test, type TestContext } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startBackends } from '../../../../test/support/backend.ts'
import { roundRobin } from '../../../balancer-core/src/picking/policies/round-robin.ts'
import policiesPlugin from '../../src/index.ts'
import { cookiesOf, stickyPolicy } from './stage.ts'

const names = ['a', 'b', 'c'] as const
type Name = (typeof names)[number]

/** One that the list may hold. */
interface Listed {
  readonly id: Name
  readonly url: string
}

const secrets = ['the first secret', 'the second secret', 'the third secret']

/** What is known of one backend. */
interface Standing {
  listed: boolean
  sick: boolean
  order: 'ready' | 'drain' | 'maintenance'
}

/** What is known of one client. */
interface Known {
  cookie: string | undefined
  bound: Name | undefined
  secret: string | undefined
}

/** A sticky balancer with real clients, and a plain one that says what the policy within would choose for new ones. */
class World {
  readonly #list: readonly Listed[]
  readonly #whenGone: 'redistribute' | 'fail'
  readonly #agent = new Agent({ keepAlive: true })
  readonly #standing = new Map<Name, Standing>()
  readonly #clients: readonly Known[] = [0, 1, 2].map(() => ({
    cookie: undefined,
    bound: undefined,
    secret: undefined,
  }))
  #secrets: readonly string[] = secrets.slice(0, 1)
  #app!: FastifyInstance
  #url = ''
  #plain!: Balancer
  #vetoes = new Map<Name, readonly Veto[]>()

  constructor(list: readonly Listed[], whenGone: 'redistribute' | 'fail') {
    this.#list = list
    this.#whenGone = whenGone
    for (const name of names) this.#standing.set(name, { listed: true, sick: false, order: 'ready' })
  }

  async start(): Promise<void> {
    this.#app = Fastify()
    await this.#app.register(policiesPlugin)
    await this.#app.register(balancer, { backends: this.#listed, policy: this.#policy })
    this.#url = await this.#app.listen({ port: 0, host: '127.0.0.1' })
    this.#plain = new Balancer({ backends: this.#listed, policy: roundRobin() })
  }

  async stop(): Promise<void> {
    this.#agent.destroy()
    await Promise.all([this.#app.close(), this.#plain.close()])
  }

  /** A client asks, and gets an answer from where it must. */
  async ask(index: number): Promise<void> {
    const client = this.#clients[index]!
    const { cookie, bound, secret } = client
    const isKnown = secret !== undefined && this.#secrets.includes(secret)
    const isKept = isKnown && this.#mayUse(bound!)
    const expected = isKept ? bound : isKnown && this.#whenGone === 'fail' ? undefined : this.#chosen()
    const headers = { ...(cookie !== undefined && { cookie }) }
    const answer = await ask(this.#url, { agent: this.#agent, headers })
    const told = cookiesOf(answer)
    if (expected === undefined) {
      assert.deepEqual([answer.status, told], [503, []])
      return
    }
    assert.deepEqual([answer.status, answer.body], [200, expected])
    assert.equal(told.length, isKept && secret === this.#secrets[0] ? 0 : 1)
    if (told.length === 0) return
    Object.assign(client, { cookie: told[0]!.split(';')[0], bound: expected, secret: this.#secrets[0] })
  }

  forget(index: number): void {
    Object.assign(this.#clients[index]!, { cookie: undefined, bound: undefined, secret: undefined })
  }

  sicken(name: Name): void {
    const one = this.#standing.get(name)!
    if (!one.listed || one.sick) return
    one.sick = true
    const veto = (of: Balancer) => of.veto(of.backend(name), { by: 'test', reason: 'it is down' })
    this.#vetoes.set(name, this.#both.map(veto))
  }

  heal(name: Name): void {
    this.#standing.get(name)!.sick = false
    for (const veto of this.#vetoes.get(name) ?? []) veto.lift()
  }

  async order(name: Name, order: Standing['order']): Promise<void> {
    const one = this.#standing.get(name)!
    if (!one.listed || (one.order === 'maintenance' && order === 'drain')) return
    one.order = order
    for (const of of this.#both) {
      if (order === 'ready') of.ready(name)
      else if (order === 'drain') void of.drain(name, { deadline: 0 })
      // oxlint-disable-next-line no-await-in-loop -- there are two
      else await of.maintain(name)
    }
  }

  async list(name: Name, listed: boolean): Promise<void> {
    const one = this.#standing.get(name)!
    if (one.listed === listed) return
    // A new one knows nothing of what was said of the old one.
    Object.assign(one, { listed, sick: false, order: 'ready' })
    await Promise.all(this.#both.map((of) => of.setBackends(this.#listed, { force: true })))
  }

  /** Other secrets, by a change of the options; the policy within begins again. */
  async rotate(order: readonly number[]): Promise<void> {
    const next = order.map((index) => secrets[index]!)
    if (next.join() === this.#secrets.join()) return
    this.#secrets = next
    const options = { backends: this.#listed }
    const change = await this.#app.balancer.prepare({ ...options, policy: this.#policy }, { force: true })
    change.commit()
    const plain = await this.#plain.prepare({ ...options, policy: roundRobin() }, { force: true })
    plain.commit()
  }

  async restart(): Promise<void> {
    await Promise.all([this.#app.close(), this.#plain.close()])
    for (const one of this.#standing.values()) Object.assign(one, { sick: false, order: 'ready' })
    await this.start()
  }

  get #both(): readonly Balancer[] {
    return [this.#app.balancer, this.#plain]
  }

  get #listed() {
    return this.#list.filter(({ id }) => this.#standing.get(id)!.listed)
  }

  get #policy() {
    return stickyPolicy({ secret: this.#secrets, whenGone: this.#whenGone })
  }

  #mayUse(name: Name): boolean {
    const all = [...this.#standing.values()].filter(({ listed }) => listed)
    const isPanic = !all.some(({ sick, order }) => !sick && order === 'ready')
    const { listed, sick, order } = this.#standing.get(name)!
    return listed && order !== 'maintenance' && (!sick || (isPanic && order === 'ready'))
  }

  #chosen(): string | undefined {
    const seeker = { method: 'GET', url: '/', headers: {}, attempts: [] }
    const attempt = this.#plain.pick(seeker as never)
    return typeof attempt === 'object' ? attempt.backend.id : undefined
  }
}

const name = fc.constantFrom(...names)
const client = fc.nat({ max: 2 })
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('ask' as const), client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('sicken' as const, 'heal' as const), name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('order' as const),
      name,
      order: fc.constantFrom('ready' as const, 'drain' as const, 'maintenance' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('list' as const), name, listed: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('rotate' as const),
      secrets: fc.uniqueArray(fc.nat({ max: 2 }), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

async function take(world: World, one: Step): Promise<void> {
  if (one.do === 'ask') await world.ask(one.client)
  else if (one.do === 'forget') world.forget(one.client)
  else if (one.do === 'sicken') world.sicken(one.name)
  else if (one.do === 'heal') world.heal(one.name)
  else if (one.do === 'order') await world.order(one.name, one.order)
  else if (one.do === 'list') await world.list(one.name, one.listed)
  else if (one.do === 'rotate') await world.rotate(one.secrets)
  else await world.restart()
}

async function always(t: TestContext, whenGone: 'redistribute' | 'fail') {
  const backends = await startBackends(t, ...names)
  const list = backends.map(({ url }, index) => ({ id: names[index]!, url }))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
      const world = new World(list, whenGone)
      await world.start()
      try {
        // oxlint-disable-next-line no-await-in-loop -- a sequence
        for (const one of steps) await take(world, one)
      } finally {
        await world.stop()
      }
    }),
    { numRuns: 12 },
  )
}

for (const whenGone of ['redistribute', 'fail'] as const)
  test(`a client with a valid token reaches its backend as long as that may be used, others as without stickiness: ${whenGone}`, (t) =>
    always(t, whenGone))
