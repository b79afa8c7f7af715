import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Api } from '../../page/api/api.ts'
import type { InstanceView } from '../../page/api/instance-views.ts'
import { tabText } from '../../page/head/title-text.ts'
import { driftOf, driftText } from '../../page/instances/drift-text.ts'
import { countsText } from '../../page/instances/instance-look.ts'
import { restartIntent } from '../../page/instances/restart-intent.ts'
import { fleetOf, type Fleet } from '../../page/live/fleet.ts'
import { fold } from '../../page/live/fold.ts'
import { initialState } from '../../page/live/state.ts'
import { Confirmation } from '../../page/orders/confirmation.ts'
import type { Told } from '../../page/orders/told.ts'
import { linesOf } from '../../page/overview/lines.ts'
import { balancerSummary, instancesView, instanceView } from './told.ts'

/** The fleet after each of these answers. */
function fleetAfter(...answers: readonly (readonly InstanceView[])[]): Fleet | undefined {
  return answers.reduce<Fleet | undefined>(
    (before, some, second) => fleetOf(before, instancesView(...some), 1000 * second),
    undefined,
  )
}

const other = (revision: number) => ({ balancers: [{ name: 'api', revision, digest: 'other', drift: true }] })

test('one process is no fleet, and nothing is rendered because of it', () => {
  const told = fold(initialState, { kind: 'instances', view: instancesView(instanceView('a')), at: 0 })
  assert.equal(told, initialState)
  assert.equal(fleetAfter([instanceView('a'), instanceView('b')], [instanceView('b')]), undefined)
})

test('requests per second are counted between answers of the same process', () => {
  const told = (requests: number, answered = true) => ['a', 'b'].map((id) => instanceView(id, { answered, requests }))
  const rates = (...answers: readonly (readonly InstanceView[])[]) => fleetAfter(...answers)!.instances[0]!.rate
  assert.equal(rates(told(1000)), undefined)
  assert.equal(rates(told(1000), told(1500)), 500)
  // Averaged over the last four answers.
  assert.equal(rates(told(0), told(100), told(200), told(300), told(700)), 200)
  // Another process of the same name begins with none.
  assert.equal(rates(told(1000), told(10)), undefined)
  assert.equal(rates(told(1000), told(10), told(30)), 20)
  // What one that does not answer has counted is not known.
  assert.equal(rates(told(1000), told(1500), told(0, false)), undefined)
  assert.equal(rates(told(1000), told(0, false), told(1700)), undefined)
})

test('an instance drifts once that has lasted from one answer to the next, and only if it serves', () => {
  const drifting = [instanceView('a'), instanceView('b'), instanceView('c', other(5))]
  const drift = { instance: 'c', balancer: 'api', revision: 5, others: 7 }
  assert.deepEqual(fleetAfter(drifting)!.drifts, [])
  assert.deepEqual(fleetAfter(drifting, drifting)!.drifts, [drift])
  assert.deepEqual(fleetAfter(drifting, drifting.slice(0, 2))!.drifts, [])
  const starting = drifting.map((one) => (one.id === 'c' ? { ...one, state: 'starting' as const } : one))
  assert.deepEqual(fleetAfter(starting, starting)!.drifts, [])
  // It has changed meanwhile: it may be on its way.
  const onItsWay = { balancers: [{ name: 'api', revision: 6, digest: 'yet another', drift: true }] }
  assert.deepEqual(fleetAfter(drifting, [...drifting.slice(0, 2), instanceView('c', onItsWay)])!.drifts, [])
})

test('drift in words', () => {
  const drift = (instance: string, balancer = 'api', revision = 5, others: number | undefined = 7) => ({
    instance,
    balancer,
    revision,
    others,
  })
  assert.equal(driftText({ drifts: [drift('c')] }), 'c uses another list of api (revision 5, not 7).')
  assert.equal(
    driftText({ drifts: [drift('c', 'api', 7), { ...drift('d'), others: undefined }] }),
    'c uses another list of api (another revision 7). d uses another list of api (revision 5).',
  )
  const many = ['a', 'b', 'c', 'd', 'e'].map((id) => drift(id))
  assert.match(driftText({ drifts: many }), /^a uses .* c uses [^.]*\. So it is in 2 more cases\.$/)
  assert.equal(driftOf({ drifts: many }, 'z'), undefined)
  assert.equal(driftOf({ drifts: many }, 'b'), 'api: revision 5, not 7')
  assert.equal(driftOf({ drifts: [drift('b'), drift('b', 'web')] }, 'b'), 'api, web')
})

test('drift is an alarm of the balancer, in the overview and in the title', () => {
  const view = instancesView(instanceView('a'), instanceView('b', other(7)))
  const news = [
    { kind: 'balancers', view: { balancers: [balancerSummary('web'), balancerSummary('api')] } },
    { kind: 'instances', view, at: 0 },
    { kind: 'instances', view, at: 1000 },
  ] as const
  const state = news.reduce(fold, initialState)
  assert.deepEqual(
    linesOf(state).map(({ summary, condition: { tone, text } }) => `${summary.name} ${tone} ${text}`),
    ['api bad 5 of 5 healthy · 1 instance drifts', 'web good 5 of 5 healthy'],
  )
  assert.deepEqual(tabText(state), { title: '● 1 instance drifts – api – fastify-balancer', tone: 'bad' })
})

test('how many instances are how, and which one is silent', () => {
  const fleet = fleetAfter([
    instanceView('a'),
    instanceView('b'),
    instanceView('c', { answered: false }),
    instanceView('d', { state: 'starting', answered: false }),
    instanceView('e', { state: 'draining' }),
  ])!
  assert.equal(countsText(fleet), '2 ready, 1 starting, 1 draining, 1 silent')
})

test('where there should be more instances than there are, that is told, also of a single one', () => {
  const told = (wanted: number, ...instances: readonly InstanceView[]) => {
    const fleet = fleetOf(undefined, { ...instancesView(...instances), wanted }, 0)
    return fleet === undefined ? undefined : [countsText(fleet), fleet.wanted, fleet.room]
  }
  const [a, b] = [instanceView('a'), instanceView('b')]
  assert.deepEqual(told(2, a), ['1 of 2 ready', 2, 3])
  assert.deepEqual(told(2, instanceView('a', { answered: false })), ['0 of 2 ready, 1 silent', 2, 3])
  assert.deepEqual(told(3, a, b), ['2 of 3 ready', 3, 4])
  assert.deepEqual(told(2, a, b), ['2 ready', undefined, 3])
  assert.equal(told(1, a), undefined)
  // One that starts is there; one that goes is not.
  const starting = instanceView('b', { state: 'starting' })
  const draining = instanceView('b', { state: 'draining' })
  assert.deepEqual(told(2, a, starting), ['1 ready, 1 starting', undefined, 3])
  assert.deepEqual(told(2, draining, a), ['1 of 2 ready, 1 draining', 2, 3])
  // An order.
  assert.equal(told(2, draining), undefined)
  const { consequence } = restartIntent(fleetOf(undefined, { ...instancesView(a), wanted: 2 }, 0)!, () => {})
  assert.match(consequence, /^Each of the 2 instances is replaced /)
})

test('a restart is confirmed, told, and refused with all reasons', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const fleet = fleetAfter([instanceView('a', { tunnels: 1 }), instanceView('b', { tunnels: 2 })])!
  const told: Told[] = []
  const { title, consequence, run } = restartIntent(fleet, (one) => void told.push(one))
  const ordered = (restart: () => Promise<unknown>) => run({ restart } as unknown as Api, new Confirmation({}))
  assert.equal(title, 'Restart server')
  assert.match(consequence, /^Each of the 2 instances is replaced .* 3 tunnels that are still open .* are closed\.$/)
  const done = { applied: true, summary: '2 instances were replaced', faults: [] }
  assert.equal(await ordered(async () => done), '2 instances were replaced')
  await assert.rejects(
    ordered(async () => ({ applied: false, summary: 'nothing was changed', faults: ['a', 'b'] })),
    { message: 'nothing was changed', faults: ['a', 'b'] },
  )
  assert.deepEqual(told, [])

  const { promise, resolve } = Promise.withResolvers<unknown>()
  const begun = ordered(() => promise)
  t.mock.timers.tick(1500)
  assert.match(await begun, /^The rolling restart has begun\./)
  resolve(done)
  await new Promise(setImmediate)
  const failing = Promise.withResolvers<unknown>()
  const later = ordered(() => failing.promise)
  t.mock.timers.tick(1500)
  await later
  failing.reject(new Error('the new one did not get ready'))
  await new Promise(setImmediate)
  assert.deepEqual(told, [
    { isRefusal: false, text: '2 instances were replaced' },
    { isRefusal: true, text: 'Restart server failed: the new one did not get ready' },
  ])
})
