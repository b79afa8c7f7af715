import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../../test/support/until.ts'
import { startInstances, type StagedInstance } from './stage.ts'

interface Told {
  readonly id: string
  readonly type: string
  readonly [name: string]: any
}

/** Reads events until the test ends. */
async function read(t: { after(end: () => void): void }, { url }: StagedInstance, query = '', last?: string) {
  const abort = new AbortController()
  t.after(() => abort.abort())
  const response = await fetch(`${url}/_balancer/events${query}`, {
    signal: abort.signal,
    ...(last !== undefined && { headers: { 'last-event-id': last } }),
  })
  let text = ''
  const told: Told[] = []
  const reading = async () => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const data = /^data: (.*)$/m.exec(text.slice(0, end))
        if (data !== null) told.push(JSON.parse(data[1]!))
        text = text.slice(end + 2)
      }
    }
  }
  void reading().catch(() => {})
  return { told, end: () => abort.abort() }
}

const short = ({ type, what, instance, revision, reason }: Told) =>
  [type, what ?? reason ?? revision, instance].filter((one) => one !== undefined).join(' ')

test('events of all instances are told at each, once, with their instance', async (t) => {
  const { all } = await startInstances(t, 3)
  const readers = await Promise.all(all.map((one) => read(t, one)))
  await all[0]!.ask('POST', '/balancers/default/backends', { id: 'c', url: 'http://127.0.0.1:9' })
  await all[1]!.ask('PUT', '/balancers/default/backends/c/state', { state: 'drain' })
  await all[2]!.ask('PUT', '/balancers/default/backends/a/circuit', { state: 'open' })
  await all[2]!.ask('PUT', '/balancers/default/backends/a/circuit', { state: 'auto' })
  await all[0]!.app.balancer.add({ id: 'd', url: 'http://127.0.0.1:10' })
  const { balancer } = all[2]!.app
  balancer.veto(balancer.backend('a'), { by: 'outlier-detection', reason: 'slow' })
  await all[1]!.ask('DELETE', '/balancers/default/backends/c')
  const expected = [
    'admin backend.add 1',
    'admin backend.state 2',
    'admin circuit.hold 3',
    'admin circuit.release 3',
    'backends 3 1',
    'veto slow 3',
    'admin backend.remove 2',
  ]
  for (const { told } of readers) {
    await until('all events have come', () => told.length >= expected.length)
    assert.deepEqual(told.map(short).toSorted(), expected.toSorted())
  }
})

test('a client resumes at another instance: nothing is lost, and nothing comes twice', async (t) => {
  const { all } = await startInstances(t, 2)
  const first = await read(t, all[0]!)
  const weigh = async (instance: number, weight: number) =>
    all[instance]!.ask('PATCH', '/balancers/default/backends/a', { weight })
  await weigh(0, 2)
  await weigh(1, 3)
  await until('both have come', () => first.told.length === 2)
  first.end()
  await weigh(1, 4)
  await weigh(0, 5)
  const second = await read(t, all[1]!, '', first.told.at(-1)!.id)
  await weigh(1, 6)
  await until('what was missed has come', () => second.told.length >= 3)
  const weights = [...first.told, ...second.told].map(({ type, after }) => (type === 'gap' ? type : after.weight))
  assert.deepEqual(weights, [2, 3, 4, 5, 6])
})

test('one that joins knows what has happened before', async (t) => {
  const { all, start } = await startInstances(t, 1)
  await all[0]!.ask('PATCH', '/balancers/default/backends/a', { weight: 2 })
  const { told } = await read(t, await start('2'), '?recent=10')
  await until('it has come', () => told.length > 0)
  assert.deepEqual(told.map(short), ['admin backend.update 1'])
})

test('figures are of all instances', async (t) => {
  const { all } = await startInstances(t, 2)
  const { told } = await read(t, all[0]!, '?type=figures')
  await until('the first ones have come', () => told.length > 0)
  for (const { url } of all) await (await fetch(`${url}/x`)).text()
  const requests = () => told.reduce((sum, one) => sum + one.requests, 0)
  await until('both requests have been told', () => requests() === 2)
  const attempts = told.flatMap(({ backends }) => backends).reduce((sum: number, one: any) => sum + one.requests, 0)
  assert.equal(attempts, 2)
  assert.ok(told.some(({ latency }) => latency !== null))
})
