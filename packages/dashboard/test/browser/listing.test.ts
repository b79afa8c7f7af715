import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { assertAccessible } from './axe.ts'
import { inBrowser, together } from './browser.ts'
import { eventually } from './eventually.ts'
import { Stage } from './stage.ts'

const shown = (page: Page) => page.getByRole('status', { name: 'Shown' })
const filter = (page: Page, name: RegExp) => page.getByRole('group', { name: 'State' }).getByRole('button', { name })
const hash = (page: Page) => new URL(page.url()).hash

/** Far more than fit on a screen, all at one address. */
async function many(stage: Stage, count: number): Promise<void> {
  const { url } = stage.backends[0]!
  const backends = Array.from({ length: count }, (_, index) => ({
    id: `b${index + 1}`,
    url,
    weight: 1 + (index % 5),
    zone: index % 2 === 0 ? 'north' : 'south',
    tags: index % 10 === 0 ? ['canary'] : [],
  }))
  await stage.balancer.setBackends(backends)
}

describe('a long list of backends', together, () => {
  test('a click on a heading sorts, the other way too, and by keyboard; the heading says so', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const { page, table } = await (await stage.visit()).live()
    await stage.balancer.update('beta', { weight: 5 })
    await stage.balancer.update('delta', { weight: 3 })
    await table.until('delta', 'Weight', /^3$/)
    const sort = async () => table.table.locator('[aria-sort]').getAttribute('aria-sort')
    await table.heading('Weight').click()
    assert.deepEqual([await table.ids(), await sort()], [['beta', 'delta', 'alpha', 'gamma'], 'descending'])
    await page.keyboard.press('Enter')
    assert.deepEqual([await table.ids(), await sort()], [['alpha', 'gamma', 'delta', 'beta'], 'ascending'])
    assert.equal(hash(page), '#sort=weight')
    await page.keyboard.press('Enter')
    assert.deepEqual(await table.ids(), ['alpha', 'beta', 'gamma', 'delta'])
    assert.equal(await table.table.locator('[aria-sort]').count(), 0)
    await table.heading('Backend').click()
    assert.deepEqual([await table.ids(), await sort()], [['alpha', 'beta', 'delta', 'gamma'], 'ascending'])
  })

  test('a row that is pointed at stays where it is, until the pointer is gone', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const { page, table } = await (await stage.visit({ hash: '#sort=-state' })).live()
    assert.deepEqual(await table.ids(), ['alpha', 'beta', 'gamma', 'delta'])
    await table.row('beta').hover()
    await stage.balancer.drain('delta')
    await table.until('delta', 'State', /^draining/)
    assert.deepEqual(await table.ids(), ['alpha', 'beta', 'gamma', 'delta'])
    await page.mouse.move(1, 1)
    await eventually(
      'the worst is at the top',
      () => table.ids(),
      (ids) => ids[0] === 'delta',
    )
  })

  test(
    'a search, a filter and what is left are in the address, so that a link shows the same',
    inBrowser,
    async (t) => {
      const stage = await Stage.start(t, { ids: ['alpha'], health: { type: 'none' } })
      await many(stage, 100)
      for (const id of ['b7', 'b11', 'b20'])
        stage.balancer.veto(stage.balancer.backend(id), { by: 'disk-watch', reason: 'disk full' })
      await stage.balancer.drain('b30')
      const visit = await (await stage.visit()).live()
      const { page, table } = visit
      assert.equal(await shown(page).innerText(), '100 of 100')
      await page.getByLabel('Search backends').fill('North CANARY')
      await eventually(
        'ten are left',
        () => shown(page).innerText(),
        (text) => text === '10 of 100',
      )
      await filter(page, /Unhealthy 1/).click()
      assert.deepEqual(await table.ids(), ['b11'])
      assert.equal(await shown(page).innerText(), '1 of 100')
      assert.equal(hash(page), '#search=North+CANARY&state=unhealthy')

      const other = await (await stage.visit({ hash: hash(page) })).live()
      assert.deepEqual(await other.table.ids(), ['b11'])
      assert.equal(await other.page.getByLabel('Search backends').inputValue(), 'North CANARY')
      assert.equal(await filter(other.page, /Unhealthy/).getAttribute('aria-pressed'), 'true')

      await page.getByLabel('Search backends').fill('')
      await filter(page, /Unhealthy 3/).waitFor()
      assert.deepEqual(await table.ids(), ['b7', 'b11', 'b20'])
      await filter(page, /Draining 1/).click()
      assert.deepEqual(await table.ids(), ['b30'])
      await page.getByLabel('Search backends').fill('nothing of that name')
      await page.getByText('No backend matches.').waitFor()
      await assertAccessible(page, 'a search without a match')
      await page.getByRole('button', { name: 'Show all' }).click()
      await eventually(
        'all are shown again',
        () => shown(page).innerText(),
        (text) => text === '100 of 100',
      )
      assert.equal(hash(page), '')
    },
  )

  test('of a thousand backends, a hundred are drawn, and each is found', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha'], health: { type: 'none' } })
    await many(stage, 1000)
    stage.balancer.veto(stage.balancer.backend('b987'), { by: 'disk-watch', reason: 'disk full' })
    const { page, table } = await (await stage.visit()).live()
    assert.equal(await shown(page).innerText(), '100 of 1,000')
    assert.equal((await table.ids()).length, 100)
    await page.getByRole('button', { name: 'Show 100 more of 900' }).click()
    await page.getByRole('button', { name: 'Show 100 more of 800' }).waitFor()
    assert.equal((await table.ids()).length, 200)
    // Named above the table, and far from being drawn.
    await page.getByRole('button', { name: 'b987', exact: true }).click()
    await table.until('b987', 'State', /^unhealthy/)
    assert.deepEqual(await table.ids(), ['b987'])
    await page.getByRole('button', { name: 'All 1', exact: true }).waitFor()
    await page.getByLabel('Search backends').fill('')
    await table.heading('State').click()
    await eventually(
      'the worst is at the top',
      () => table.ids(),
      (ids) => ids[0] === 'b987',
    )
  })
})
