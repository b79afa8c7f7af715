import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inBrowser, together } from './browser.ts'
import { eventually } from './eventually.ts'
import { Stage } from './stage.ts'

describe('what happens, live', together, () => {
  test('the page shows every backend, in the order of the list', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', undefined, 'gamma'] })
    const { page, table } = await (await stage.visit()).live()
    assert.equal(await page.getByRole('main').count(), 1)
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'fastify-balancer')
    const headings = await table.table.getByRole('columnheader').allInnerTexts()
    assert.deepEqual(
      headings.map((heading) => heading.toLowerCase()),
      ['backend', 'state', 'share', 'in flight', 'rate', 'errors', 'p95', 'probe', 'weight', 'actions'],
    )
    const ids = stage.balancer.backends.map(({ id }) => id)
    assert.deepEqual(await table.ids(), ids)
    for (const id of ids) {
      const header = table.row(id).getByRole('rowheader')
      assert.ok((await header.innerText()).startsWith(id))
      assert.match(await table.text(id, 'State'), /^healthy/)
      assert.equal(await table.text(id, 'Weight'), '1')
    }
  })

  test(
    'a backend that is killed is vetoed, with reason and evidence, and has no share; revived, it is back',
    inBrowser,
    async (t) => {
      const stage = await Stage.start(t)
      const { table } = await (await stage.visit()).live()
      stage.load()
      await table.until('beta', 'Share', /^[1-9]/)
      await stage.backend('beta').die()
      const state = await table.until('beta', 'State', /^unhealthy[^]*health-check/)
      const veto = stage.balancer.backend('beta').vetoes.find(({ by }) => by === 'health-check')!
      assert.ok(state.includes(veto.reason), `${state} names ${veto.reason}`)
      const details = await table.open('beta')
      const observed = details.locator('section').filter({ hasText: 'Veto of health-check' }).locator('.observations')
      const probes = veto.evidence as readonly { readonly received: string; readonly at: number }[]
      const rows = await observed.locator('tbody tr').allInnerTexts()
      assert.equal(rows.length, probes.length)
      for (const [index, { received, at }] of probes.entries()) {
        assert.ok(rows[index]!.includes(received), `${rows[index]} names ${received}`)
        assert.ok(rows[index]!.includes(new Date(at).toLocaleTimeString('en-GB')), `${rows[index]} is at ${at}`)
      }
      await table.until('beta', 'Share', /^0 %$/)
      // The page has gone on meanwhile.
      assert.equal(await details.isVisible(), true)
      await table.until('alpha', 'Share', /^33 %$/)
      assert.match(await table.text('alpha', 'State'), /^healthy/)

      await stage.backend('beta').live()
      await table.until('beta', 'State', /^healthy/)
    },
  )

  test('the event feed tells what happens, the newest first', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const { page, table } = await (await stage.visit()).live()
    const feed = page.getByRole('log', { name: 'Events' })
    await stage.backend('gamma').die()
    await feed.getByText(/gamma unhealthy \(health-check\): .*refused/i).waitFor()
    await stage.backend('gamma').live()
    await feed.getByText(/gamma no longer kept out by health-check/).waitFor()
    await table.until('gamma', 'State', /^healthy/)
    const lines = await feed.getByRole('listitem').allInnerTexts()
    const about = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line))
    const lifted = about(/gamma.*no longer kept out by health-check/)
    const laid = about(/gamma.*unhealthy \(health-check\)/)
    assert.ok(lifted >= 0 && lifted < laid, lines.join('\n'))
  })

  test('panic is told while no backend is left, and no longer', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta'] })
    const { page, table } = await (await stage.visit()).live()
    const panic = page.getByRole('alert').filter({ hasText: 'Panic' })
    assert.equal(await panic.count(), 0)
    await Promise.all(stage.backends.map((backend) => backend.die()))
    await panic
      .filter({ hasText: 'All 2 backends are unhealthy. Health is ignored and requests are tried on all of them.' })
      .waitFor()
    assert.equal(stage.balancer.set.panicking, true)
    await table.until('beta', 'State', /^unhealthy/)
    await stage.backend('alpha').live()
    await panic.waitFor({ state: 'detached' })
    assert.equal(stage.balancer.set.panicking, false)
    await table.until('alpha', 'State', /^healthy/)
    assert.match(await table.text('beta', 'State'), /^unhealthy/)
  })

  test('an overload of the process is told while it lasts, and how the process is', inBrowser, async (t) => {
    let isOverloaded = false
    const stage = await Stage.start(t, { ids: ['alpha'], isOverloaded: () => isOverloaded })
    const { page } = await (await stage.visit()).live()
    await page.getByText('12 ms').waitFor()
    const overload = page.getByRole('alert').filter({ hasText: 'Overloaded' })
    assert.equal(await overload.count(), 0)
    isOverloaded = true
    await overload.waitFor()
    isOverloaded = false
    await overload.waitFor({ state: 'detached' })
  })

  test('with several balancers, each has its own backends and figures', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta'], second: 'api' })
    const visit = await stage.visit()
    const { page, table } = visit
    const tabs = page.getByRole('tablist', { name: 'Balancer' }).getByRole('tab')
    await tabs.filter({ hasText: 'default' }).click()
    await visit.live()
    assert.deepEqual(
      (await tabs.allInnerTexts()).map((text) => text.trim()),
      ['All balancers', 'default 2 of 2 healthy', 'api 2 of 2 healthy'],
    )
    stage.load(2, '/api/')
    await eventually(
      'the default balancer is told of as idle',
      () => visit.figure('Requests per second'),
      (rate) => rate === 0,
    )
    await stage.balancers.get('api')!.drain('beta')
    assert.match(await table.text('beta', 'State'), /^healthy/)
    await tabs.filter({ hasText: 'api' }).click()
    await table.until('beta', 'State', /^draining/)
    await eventually(
      'the other one is busy',
      () => visit.figure('Requests per second'),
      (rate) => rate > 0,
    )
    await tabs.filter({ hasText: 'default' }).click()
    await table.until('beta', 'State', /^healthy/)
  })
})
