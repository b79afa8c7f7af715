import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../../test/support/until.ts'
import { startInstances, type StagedInstance } from './stage.ts'

const circuit = '/balancers/default/backends/a/circuit'

async function states(all: readonly StagedInstance[]): Promise<unknown[]> {
  const breaker = ({ app }: StagedInstance) => app.balancer.extensions.get('circuit-breaker') as { of(id: string): any }
  return all.map((one) => {
    const { state, reason } = breaker(one).of('a')
    return state === 'closed' ? state : `${state}: ${reason}`
  })
}

test('a hold is in force in all instances when it is answered, and is released in all', async (t) => {
  const { all, start } = await startInstances(t, 2)
  const { status, body, headers } = await all[1]!.ask('PUT', circuit, { state: 'open', reason: 'new disk' })
  assert.deepEqual([status, body.state, headers.get('x-balancer-unconfirmed')], [200, 'isolated', null])
  assert.deepEqual(await states(all), Array(2).fill('isolated: new disk'))
  const third = await start('3')
  assert.deepEqual(await states([third]), ['isolated: new disk'])
  await third.ask('PUT', circuit, { state: 'open', reason: 'another one' })
  assert.deepEqual(await states([...all, third]), Array(3).fill('isolated: another one'))
  await all[0]!.ask('PUT', circuit, { state: 'auto' })
  assert.deepEqual(await states([...all, third]), Array(3).fill('closed'))
  const fourth = await start('4')
  assert.deepEqual(await states([fourth]), ['closed'])
})

test('a hold ends in all instances at the same time', async (t) => {
  const { all } = await startInstances(t, 2)
  await all[0]!.ask('PUT', circuit, { state: 'open', ttl: 200 })
  for (const { app } of all) await until('the hold has ended', () => app.balancer.backend('a').vetoes.length === 0)
})
