import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inBrowser, together } from './browser.ts'
import { eventually } from './eventually.ts'
import { away, Stage } from './stage.ts'

describe('a connection that is lost', together, () => {
  test('a stream that is cut comes back by itself, and nothing was missed', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const visit = await (await stage.visit({ allowed: away })).live()
    const { page, table } = visit
    const feed = page.getByRole('log', { name: 'Events' })
    await stage.balancer.drain('alpha')
    await table.until('alpha', 'State', /^draining/)
    stage.cut()
    // Told to nobody: the page is on its way back.
    await stage.balancer.drain('beta')
    await visit.connection('Reconnecting')
    await visit.connection('Live')
    await table.until('beta', 'State', /^draining/)
    await feed.getByText(/beta/).first().waitFor()
    stage.balancer.ready('alpha')
    await table.until('alpha', 'State', /^healthy/)
    const lines = await feed.getByRole('listitem').allInnerTexts()
    assert.equal(new Set(lines).size, lines.length, `each is told once: ${lines.join('\n')}`)
  })

  test('an app that stops is told of as away, and one that comes back as it is then', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const visit = await (await stage.visit({ allowed: away })).live()
    const { page, table } = visit
    await stage.balancer.drain('alpha')
    await table.until('alpha', 'State', /^draining/)
    await stage.stopApp()
    await visit.connection('Reconnecting')
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor()
    assert.match(await table.text('alpha', 'State'), /^draining/)
    await stage.startApp()
    await visit.connection('Live')
    // The new process knows nothing of what the old one was told.
    await table.until('alpha', 'State', /^healthy/)
    await page.getByRole('alert').waitFor({ state: 'detached' })
    await stage.balancer.drain('beta')
    await table.until('beta', 'State', /^draining/)
  })

  test('after more events than are kept, the page shows how it is', inBrowser, async (t) => {
    const stage = await Stage.start(t, { events: { keep: 2 } })
    const visit = await (await stage.visit({ allowed: away })).live()
    const { page, table } = visit
    // From here on it knows where it was.
    await stage.balancer.drain('delta')
    await table.until('delta', 'State', /^draining/)
    const gaps: string[] = []
    page.on('request', (request) => {
      const last = new URL(request.url()).searchParams.get('lastEventId')
      if (last !== null) gaps.push(last)
    })
    await page.route('**/events?*', (route) => route.abort())
    stage.cut()
    await visit.connection('Reconnecting')
    for (const id of ['alpha', 'beta', 'gamma']) await stage.balancer.drain(id)
    stage.balancer.ready('delta')
    await stage.balancer.update('delta', { weight: 8 })
    await page.unroute('**/events?*')
    await visit.connection('Live')
    for (const id of ['alpha', 'beta', 'gamma']) await table.until(id, 'State', /^draining/)
    await table.until('delta', 'State', /^healthy/)
    await table.until('delta', 'Weight', /^8$/)
    assert.ok(gaps.length > 0, 'it said where it was')
  })

  test('a page that is opened before the app can answer comes to life by itself', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const visit = await stage.visit({ allowed: [...away, /^console: .* 503 /] })
    const { page, table } = await visit.live()
    let refusals = 0
    const refuse = async (route: { fulfill(answer: object): Promise<void> }) => {
      refusals++
      await route.fulfill({ status: 503, json: { statusCode: 503, error: 'Service Unavailable', message: 'not yet' } })
    }
    const routes = /\/_balancer\/(balancers|events|operator)/
    await page.route(routes, refuse)
    await page.reload()
    await page.getByRole('alert').filter({ hasText: 'not yet' }).waitFor()
    await eventually(
      'it has asked several times',
      () => refusals,
      (count) => count >= 4,
    )
    await page.unroute(routes)
    await visit.live()
    await table.until('alpha', 'State', /^healthy/)
    await page.getByRole('alert').waitFor({ state: 'detached' })
    await (await table.choose('Drain', 'alpha')).locator('[type=submit]').click()
    await table.until('alpha', 'State', /^draining/)
  })
})
