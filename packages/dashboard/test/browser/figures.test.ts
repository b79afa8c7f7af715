import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { inBrowser, together } from './browser.ts'
import { eventually } from './eventually.ts'
import { Stage } from './stage.ts'
import { ToldFigureList } from './told-figures.ts'

describe('the figures', together, () => {
  test('the figures are those that the server tells', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const visit = await (await stage.visit()).live()
    const told = new ToldFigureList(stage.origin)
    t.after(() => told.close())
    stage.load()
    const look = async () => ({
      rate: await visit.figure('Requests per second'),
      errors: await visit.figure('Error rate'),
      p50: await visit.figure('p50'),
      p95: await visit.figure('p95'),
      p99: await visit.figure('p99'),
    })
    const asTold = () =>
      told.all.map(({ seconds, requests, failed, latency }) => ({
        rate: requests / seconds,
        errors: requests === 0 ? NaN : failed / requests,
        ...latency,
      }))
    const same = (a: object, b: object) => JSON.stringify(a) === JSON.stringify(b)
    // What a page shows is looked at one by one, and a new second may begin meanwhile: so it is looked at again.
    const seen = await eventually(
      'the page shows figures that were told, of traffic',
      look,
      (shown) => shown.rate > 0 && asTold().some((one) => same(one, shown)),
    )
    assert.equal(seen.errors, 0)
    // Each answer takes 10 ms, by a timer, which may end a part of one early.
    assert.ok(seen.p50 >= 9 && seen.p50 <= seen.p95 && seen.p95 <= seen.p99, JSON.stringify(seen))
  })

  test('failures are counted among what is told', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha'], health: { type: 'none' } })
    const visit = await (await stage.visit()).live()
    await stage.backend('alpha').die()
    stage.load()
    await eventually(
      'every request fails',
      () => visit.figure('Error rate'),
      (errors) => errors === 1,
    )
  })

  test('what is in flight, and what waits, is shown to the last request', inBrowser, async (t) => {
    const stage = await Stage.start(t, {
      ids: ['alpha', 'beta'],
      balancer: { pool: { connections: 3 }, timeouts: { queue: 60_000, headers: 60_000 } },
    })
    const visit = await (await stage.visit()).live()
    const alpha = stage.backend('alpha')
    alpha.hold()
    await stage.balancer.drain('beta')
    const answers = Array.from({ length: 5 }, () => ask(stage.origin))
    const look = async () => [
      await visit.figure('In flight'),
      await visit.figure('Queued'),
      await visit.table.text('alpha', 'In flight'),
      alpha.asked,
    ]
    await eventually('5 are on their way, 2 of them in the queue', look, (seen) => String(seen) === '5,2,3 of 3,3')
    alpha.release()
    assert.deepEqual(
      (await Promise.all(answers)).map(({ status }) => status),
      [200, 200, 200, 200, 200],
    )
    await eventually('nothing is left', look, (seen) => String(seen) === '0,0,0 of 3,5')
  })

  test('a backend has the share of the traffic that its weight gives it', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta'] })
    const { page, table } = await (await stage.visit()).live()
    await stage.balancer.update('beta', { weight: 3 })
    stage.load()
    await table.until('beta', 'Share', /^75 %$/)
    await table.until('alpha', 'Share', /^25 %$/)
    await table.until('alpha', 'Rate', /^[1-9]/)
    await table.until('alpha', 'p95', /\d.*ms/)
    const charts = page.getByRole('img', { name: 'Latency over 5 minutes' })
    await charts.locator('canvas').waitFor()
  })
})
