import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  balancer,
  Balancer,
  failures,
  type Attempt,
  type Backend,
  type BackendOptions,
  type BackendSet,
  type BackendState,
  type BalancerHooks,
  type BalancerOptions,
  type Blame,
  type Clock,
  type Explanation,
  type FailureError,
  type FailureReason,
  type ForwardOptions,
  type Outcome,
  type OutgoingRequest,
  type OutgoingResponse,
  type Picker,
  type PickRequest,
  type Policy,
  type corePolicies,
  type RequestRewrite,
  type Verdict,
  type Veto,
  type VetoOptions,
} from '../src/index.ts'

// These tests are made by the compiler: what it must refuse is marked, and a mark on what it accepts is an error too.

/** Are these the same type, to the last modifier? */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it is the comparison of the two functions that tells
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

function equal<A, B>(same: Equal<A, B>): void {
  assert.equal(same, true)
}

/** Accepts what is of this type. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- given by hand, never inferred
function accepts<T>(..._values: T[]): void {}

test('equal tells types apart', () => {
  equal<string, string>(true)
  equal<{ a: string }, { a: string }>(true)
  // @ts-expect-error a string is not a number
  equal<string, number>(true)
  // @ts-expect-error any is not everything
  equal<string, unknown>(true)
  // @ts-expect-error an optional field is not one that may be undefined
  equal<{ a?: string }, { a: string | undefined }>(true)
  // @ts-expect-error what can be written is not what can only be read
  equal<{ a: string }, { readonly a: string }>(true)
})

test('names are closed lists', () => {
  equal<keyof typeof corePolicies, 'round-robin' | 'weighted' | 'random' | 'p2c' | 'least-requests'>(true)
  equal<Blame, 'client' | 'backend' | 'proxy'>(true)
  equal<BackendState, 'ready' | 'drain' | 'maintenance'>(true)
  equal<Outcome, 'ok' | FailureReason>(true)
  equal<FailureReason, keyof typeof failures>(true)
  equal<(typeof failures)['client-gone']['status'], 499>(true)
  equal<
    keyof BalancerHooks,
    | 'onPick'
    | 'onAttemptStart'
    | 'onAttemptResponse'
    | 'onResponse'
    | 'onAttemptEnd'
    | 'onBackendsChange'
    | 'onOrder'
    | 'onBackendsPropose'
    | 'onOptionsPropose'
  >(true)
  // @ts-expect-error there is no such reason
  accepts<FailureReason>('whatever')
})

test('options may be given in part, at each level', () => {
  accepts<BalancerOptions>(
    {},
    { backends: ['http://a.test', { url: 'http://b.test' }] },
    { timeouts: { connect: 1 } },
    { retry: { budget: { floor: 1 } } },
    { pool: { protocol: 'http2', tls: { rejectUnauthorized: false, ca: 'x' } } },
    { panicThreshold: false },
    { panicThreshold: 0.5 },
    { constraints: { host: 'a.test', version: '1.0.0' } },
    { rewrite: { request: ({ in: request, out }) => void (out.headers['x'] = request.id) } },
  )
  // @ts-expect-error a misspelt key
  accepts<BalancerOptions>({ timeout: {} })
  // @ts-expect-error a misspelt key within
  accepts<BalancerOptions>({ timeouts: { conect: 1 } })
  // @ts-expect-error a misspelt key further within
  accepts<BalancerOptions>({ retry: { budget: { flor: 1 } } })
  // @ts-expect-error text for a number
  accepts<BalancerOptions>({ timeouts: { connect: '1s' } })
  // @ts-expect-error an unknown protocol
  accepts<BalancerOptions>({ pool: { protocol: 'http3' } })
  // @ts-expect-error an unknown lane
  accepts<BalancerOptions>({ lane: 'fast' })
  // @ts-expect-error true is no threshold
  accepts<BalancerOptions>({ panicThreshold: true })
  // @ts-expect-error a backend without its address
  accepts<BalancerOptions>({ backends: [{ id: 'a' }] })
  // @ts-expect-error an unknown key of a backend
  accepts<BackendOptions>({ url: 'http://a.test', wieght: 1 })
})

test('a policy is a name, an object with a name, or code', () => {
  const first: Policy = {
    name: 'first',
    over: (available) => ({ pick: () => available[0], peek: () => available[0] }),
  }
  accepts<BalancerOptions>({ policy: 'p2c' }, { policy: { name: 'p2c' } }, { policy: first })
  // @ts-expect-error an unknown policy
  accepts<BalancerOptions>({ policy: 'best' })
  // @ts-expect-error an unknown policy in an object
  accepts<BalancerOptions>({ policy: { name: 'best' } })
  // @ts-expect-error a policy without peek
  accepts<Policy>({ name: 'x', over: ([one]) => ({ pick: () => one }) })
  // @ts-expect-error a policy without a name
  accepts<Policy>({ over: ([one]) => ({ pick: () => one, peek: () => one }) })
  equal<
    Parameters<Policy['over']>,
    [available: readonly Backend[], draining?: readonly Backend[] | undefined, spare?: readonly Backend[] | undefined]
  >(true)
  equal<Parameters<NonNullable<Policy['attach']>>, [balancer: Balancer]>(true)
  equal<ReturnType<Picker['pick']>, Backend | null | undefined>(true)
  equal<PickRequest['headers'], Readonly<Record<string, string | string[] | undefined>>>(true)
})

test('time and randomness can be given', () => {
  const clock: Clock = { now: () => 0, setTimeout: () => 0, clearTimeout: () => {} }
  accepts<BalancerOptions>({ clock, random: () => 0.5 })
  // @ts-expect-error a clock that only tells the time
  accepts<BalancerOptions>({ clock: { now: () => 0 } })
  // @ts-expect-error a number is not random
  accepts<BalancerOptions>({ random: 0.5 })
})

test('hooks get what they are about', () => {
  // The functions are only compiled.
  accepts<(given: Balancer) => unknown>(
    (given) => given.addHook('onPick', ({ backend }) => backend.inFlight < 1),
    (given) => given.addHook('onAttemptEnd', ({ outcome, blame }) => void [outcome, blame]),
    (given) => given.addHook('onBackendsChange', (now, before) => void (now.revision - before.revision)),
    (given) =>
      given.addHook('onBackendsPropose', async ([backend]) => [{ backend: backend!, veto: { by: 'x', reason: 'y' } }]),
    (given) => given.addHook('onBackendsPropose', async () => {}),
    (given) => given.addHook('onBackendsPropose', () => {}).addHook('onPick', () => {}),
    // @ts-expect-error an unknown hook
    (given) => given.addHook('onSend', () => {}),
    // @ts-expect-error onPick cannot answer later
    (given) => given.addHook('onPick', async () => true),
    // @ts-expect-error text is no answer
    (given) => given.addHook('onPick', () => 'no'),
    (given) => given.addHook('onBackendsPropose', ([backend]) => [{ backend: backend!, refusal: 'it is down' }]),
    // @ts-expect-error a verdict without a reason
    (given) => given.addHook('onBackendsPropose', ([backend]) => [{ backend, veto: { by: 'x' } }]),
  )
  equal<Parameters<BalancerHooks['onPick']>, [attempt: Attempt]>(true)
  equal<ReturnType<BalancerHooks['onPick']>, boolean | void>(true)
  equal<Parameters<BalancerHooks['onBackendsChange']>, [now: BackendSet, before: BackendSet]>(true)
  equal<
    Verdict,
    { readonly backend: Backend; readonly veto: VetoOptions } | { readonly backend: Backend; readonly refusal: string }
  >(true)
})

test('a set is only read', () => {
  equal<BackendSet['all'], readonly Backend[]>(true)
  accepts<(set: BackendSet, backend: Backend) => unknown>(
    // @ts-expect-error the list cannot be added to
    (set, backend) => set.all.push(backend),
    // @ts-expect-error nor replaced
    (set) => (set.available = []),
    // @ts-expect-error a set is changed by its balancer
    (set) => set.revision++,
    // @ts-expect-error a backend keeps its identity
    (_set, backend) => (backend.id = 'b'),
  )
})

test('a veto needs an owner and a reason', () => {
  accepts<VetoOptions>({ by: 'a', reason: 'b' }, { by: 'a', reason: 'b', hard: true, ttl: 5 })
  // @ts-expect-error without a reason
  accepts<VetoOptions>({ by: 'a' })
  // @ts-expect-error without an owner
  accepts<VetoOptions>({ reason: 'b' })
  equal<ReturnType<Veto['lift']>, void>(true)
  equal<ReturnType<Balancer['veto']>, Veto>(true)
})

test('a change of the list may ask for a revision, and answers with the set', () => {
  equal<ReturnType<Balancer['setBackends']>, Promise<BackendSet>>(true)
  equal<ReturnType<Balancer['drain']>, Promise<boolean>>(true)
  equal<ReturnType<Balancer['explain']>, Explanation>(true)
  accepts<(given: Balancer) => unknown>(
    (given) => given.setBackends(['http://a.test', { url: 'http://b.test', weight: 2 }], { revision: 3 }),
    (given) => given.update('a', { weight: 2 }, { revision: 3 }),
    (given) => given.remove('a', { deadline: 5, revision: 3 }),
    (given) => given.drain('a', { deadline: 5 }),
    (given) => given.explain({ url: '/x' }),
    // @ts-expect-error an address cannot be changed
    (given) => given.update('a', { url: 'http://b.test' }),
    // @ts-expect-error nor an id
    (given) => given.update('a', { id: 'b' }),
    // @ts-expect-error a drain asks for no revision
    (given) => given.drain('a', { revision: 3 }),
  )
})

test('a rewriting hook can change what is sent, and not what came', () => {
  equal<Parameters<RequestRewrite>, [message: { in: FastifyRequest; out: OutgoingRequest }]>(true)
  accepts<BalancerOptions>(
    { rewrite: { request: ({ out }) => void (out.path = '/x') } },
    { rewrite: { request: ({ out }) => void (out.headers['x-list'] = ['a', 'b']) } },
    { rewrite: { request: ({ out }) => void delete out.headers['cookie'] } },
    { rewrite: { response: ({ out }) => void (out.status = 404) } },
    { rewrite: { response: ({ out }) => void (out.body = 'x') } },
    // @ts-expect-error what came stays as it is
    { rewrite: { response: ({ in: received }) => void (received.status = 404) } },
    // @ts-expect-error so do its fields
    { rewrite: { response: ({ in: received }) => void (received.headers['x'] = 'y') } },
    // @ts-expect-error a path is text
    { rewrite: { request: ({ out }) => void (out.path = 5) } },
  )
  equal<OutgoingResponse['status'], number>(true)
})

test('a failure names its reason', () => {
  equal<FailureError['reason'], FailureReason>(true)
  accepts<(error: FailureError) => string>((error) => error.code)
})

test('fastify knows what is registered', () => {
  equal<FastifyInstance['balancer'], Balancer>(true)
  equal<FastifyInstance['balancers'], ReadonlyMap<string, Balancer>>(true)
  equal<FastifyReply['forward'], (options?: ForwardOptions) => FastifyReply>(true)
  accepts<(app: FastifyInstance, reply: FastifyReply) => unknown>(
    (app) => app.register(balancer),
    (app) => app.register(balancer, { backends: ['http://a.test'], prefix: '/api' }),
    (app) => app.register(balancer, { name: 'api', policy: 'p2c' }),
    (_app, reply) => reply.forward(),
    (_app, reply) => reply.forward({ balancer: 'api' }),
    (app, reply) => reply.forward({ balancer: app.balancer }),
    // @ts-expect-error a misspelt option
    (app) => app.register(balancer, { backend: [] }),
    // @ts-expect-error a misspelt option of forward
    (_app, reply) => reply.forward({ to: 'api' }),
    // @ts-expect-error balancers are registered, not set
    (app) => app.balancers.set('x', app.balancer),
  )
})

test('what is exported is there at run time', () => {
  assert.equal(typeof balancer, 'function')
  assert.equal(typeof Balancer, 'function')
  assert.equal(failures['no-backend'].status, 503)
})
