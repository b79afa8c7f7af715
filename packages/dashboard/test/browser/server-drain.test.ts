import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Locator } from 'playwright-core'
import { ask } from '../../../../test/support/ask.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { inBrowser, together } from './browser.ts'
import { eventually } from './eventually.ts'
import { Stage } from './stage.ts'
import { authorizationOf } from './users.ts'
import type { Visit } from './visit.ts'

const ids = ['alpha', 'beta']
const banner = ({ page }: Visit) => page.getByRole('group', { name: 'Server drain' })
const outcome = ({ page }: Visit) => page.getByRole('status', { name: 'Outcome' })
const button = ({ page }: Visit, name: 'Drain server' | 'End drain') => page.getByRole('button', { name, exact: true })

/** Opens the dialog; answers it. */
async function choose(visit: Visit, name: 'Drain server' | 'End drain'): Promise<Locator> {
  await button(visit, name).click()
  const dialog = visit.page.getByRole('dialog', { name, exact: true })
  await dialog.waitFor()
  return dialog
}

async function confirm(dialog: Locator): Promise<void> {
  await dialog.locator('[type=submit]').click()
  await dialog.waitFor({ state: 'detached' })
}

/** Asks the admin routes, as somebody does who does not see the page. */
async function order(
  { origin }: Stage,
  method: string,
  path: string,
  sent?: object,
  user: 'viewer' | 'operator' = 'operator',
) {
  const body = sent === undefined ? undefined : JSON.stringify(sent)
  const headers = {
    authorization: authorizationOf(user),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
  return ask(`${origin}/_balancer${path}`, { method, headers, ...(body !== undefined && { body }) })
}

const readiness = async (stage: Stage) => (await order(stage, 'GET', '/ready')).status
const until = (visit: Visit, pattern: RegExp) => banner(visit).filter({ hasText: pattern }).waitFor()

describe('the drain of the whole server', together, () => {
  test('it is ordered by click, told of while it lasts, and taken back', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids })
    const visit = await (await stage.visit()).live()
    const dialog = await choose(visit, 'Drain server')
    assert.equal(await banner(visit).count(), 0)
    assert.equal(await dialog.getByLabel('Grace (seconds)').inputValue(), '10')
    assert.equal(await dialog.getByLabel('Then close the app').isChecked(), false)
    assert.equal(await readiness(stage), 200)
    await confirm(dialog)
    await until(visit, /503.*stay open until \d\d:\d\d:\d\d.*No requests are in flight/s)
    await visit.page.getByRole('alert').filter({ hasText: 'Server draining' }).waitFor()
    await outcome(visit).filter({ hasText: 'connections are closed in 10 s.' }).waitFor()
    assert.equal(await readiness(stage), 503)
    assert.equal((await ask(stage.origin)).status, 200)
    await visit.page
      .getByRole('log', { name: 'Events' })
      .getByText('operator set the server: ready → drain (grace 10 s)')
      .waitFor()

    const back = await choose(visit, 'End drain')
    assert.equal(await back.getByRole('spinbutton').count(), 0)
    assert.equal(await back.getByRole('checkbox').count(), 0)
    assert.equal(await readiness(stage), 503)
    await confirm(back)
    await banner(visit).waitFor({ state: 'detached' })
    await outcome(visit).filter({ hasText: 'The server is ready again.' }).waitFor()
    assert.equal(await readiness(stage), 200)
    await button(visit, 'Drain server').waitFor()
  })

  test('with no grace, connections are closed at once, and the page says so', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids })
    const visit = await (await stage.visit()).live()
    const dialog = await choose(visit, 'Drain server')
    const grace = dialog.getByLabel('Grace (seconds)')
    for (const refused of ['', '-1', '3601']) {
      await grace.fill(refused)
      await dialog.locator('[type=submit]').click()
      assert.equal(await dialog.isVisible(), true)
    }
    assert.equal(await readiness(stage), 200)
    await grace.fill('0')
    await confirm(dialog)
    await until(visit, /Connections are closed after their next response/)
    await outcome(visit).filter({ hasText: 'connections are closed now.' }).waitFor()
    const { headers } = await order(stage, 'GET', '/live')
    assert.equal(headers['connection'], 'close')
    // It goes on over new connections.
    await stage.balancer.drain('beta')
    await visit.table.until('beta', 'State', /^draining/)
  })

  test('somebody else orders it: the page says so, and says when the grace is over', inBrowser, async (t) => {
    const clock = new ManualClock(0)
    const stage = await Stage.start(t, { ids, balancer: { clock } })
    const visit = await (await stage.visit()).live()
    assert.equal(await banner(visit).count(), 0)
    const dialog = await choose(visit, 'Drain server')
    await order(stage, 'PUT', '/server/state', { state: 'drain', grace: 60_000 })
    await until(visit, /stay open until/)
    // Whoever was asked is still asked the same.
    assert.equal(await dialog.getByLabel('Grace (seconds)').isVisible(), true)
    await visit.page.keyboard.press('Escape')
    await button(visit, 'End drain').waitFor()
    clock.advance(60_000)
    await until(visit, /Connections are closed after their next response/)
    await order(stage, 'PUT', '/server/state', { state: 'ready' })
    await banner(visit).waitFor({ state: 'detached' })
    await button(visit, 'Drain server').waitFor()
  })

  test('it tells how many requests are in flight, of all balancers, until it is idle', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids, second: 'api' })
    const visit = await (await stage.visit({ hash: '#balancer=default' })).live()
    const [alpha, beta] = stage.backends as [(typeof stage.backends)[0], (typeof stage.backends)[0]]
    for (const backend of [alpha, beta]) backend.hold()
    await order(stage, 'PUT', '/server/state', { state: 'drain', grace: 600_000 })
    await until(visit, /No requests are in flight\./)
    const answers = ['/', '/', '/api/'].map((path) => ask(`${stage.origin}${path}`))
    // Nothing tells of it but what the page asks by itself.
    await until(visit, /3 requests are still in flight\./)
    assert.equal(alpha.asked + beta.asked, 3)
    for (const backend of [alpha, beta]) backend.release()
    assert.deepEqual(
      (await Promise.all(answers)).map(({ status }) => status),
      [200, 200, 200],
    )
    await until(visit, /No requests are in flight/)
  })

  test('a viewer sees it, and can neither order it nor take it back', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids })
    const visit = await (await stage.visit({ user: 'viewer' })).live()
    await visit.page.getByText('Read-only: you are not allowed to make changes').waitFor()
    const cannot = async (name: 'Drain server' | 'End drain') => {
      await button(visit, name).waitFor()
      assert.equal(await button(visit, name).isDisabled(), true)
      await button(visit, name).click({ force: true })
      assert.equal(await visit.page.getByRole('dialog').count(), 0)
    }
    await cannot('Drain server')
    assert.equal((await order(stage, 'PUT', '/server/state', { state: 'drain' }, 'viewer')).status, 403)
    assert.equal(await readiness(stage), 200)
    await order(stage, 'PUT', '/server/state', { state: 'drain' })
    await until(visit, /503/)
    await cannot('End drain')
    assert.equal((await order(stage, 'PUT', '/server/state', { state: 'ready' }, 'viewer')).status, 403)
    assert.equal(await readiness(stage), 503)
  })

  test('the keyboard alone is enough, and the focus comes back', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids })
    const visit = await (await stage.visit()).live()
    const { page } = visit
    const { keyboard } = page
    const bodies: unknown[] = []
    page.on('request', (request) => {
      if (request.method() === 'PUT') bodies.push(request.postDataJSON())
    })
    const focused = () =>
      page.evaluate<string>(
        "(document.activeElement?.labels?.[0]?.textContent ?? document.activeElement?.textContent ?? '').trim()",
      )
    const tabTo = async (name: string) => {
      for (let n = 0; n < 60; n++) {
        if ((await focused()) === name) return
        await keyboard.press('Tab')
      }
      assert.fail(`${name} cannot be reached; in the end: ${await focused()}`)
    }
    const dialog = page.getByRole('dialog')
    await button(visit, 'Drain server').waitFor()
    await eventually(
      'an operator may act',
      () => button(visit, 'Drain server').isEnabled(),
      (isEnabled) => isEnabled,
    )
    await tabTo('Drain server')
    await keyboard.press('Enter')
    await dialog.waitFor()
    await keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    assert.equal(await focused(), 'Drain server')
    assert.deepEqual(bodies, [])

    await keyboard.press('Space')
    await dialog.waitFor()
    assert.equal(await focused(), 'Grace (seconds)')
    // What is there is selected, and so written over.
    await keyboard.type('3600')
    await tabTo('Then close the app')
    await keyboard.press('Space')
    // The button that opened the dialog has the same name, and cannot be reached meanwhile.
    await tabTo('Drain server')
    await keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    await until(visit, /503/)
    assert.equal(await focused(), 'End drain')
    assert.equal(await readiness(stage), 503)

    await keyboard.press('Enter')
    await dialog.waitFor()
    await keyboard.press('Tab')
    await tabTo('End drain')
    await keyboard.press('Enter')
    await banner(visit).waitFor({ state: 'detached' })
    assert.equal(await focused(), 'Drain server')
    assert.deepEqual(bodies, [{ state: 'drain', grace: 3_600_000, close: true }, { state: 'ready' }])
    assert.equal(await readiness(stage), 200)
  })

  test('an order that is refused says why', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids })
    const visit = await (await stage.visit({ allowed: [/^console: .* 403 /] })).live()
    const { page } = visit
    const dialog = await choose(visit, 'Drain server')
    await page.route('**/server/state', (route) =>
      route.fulfill({ status: 403, json: { statusCode: 403, error: 'Forbidden', message: 'Not at night' } }),
    )
    await confirm(dialog)
    await page.getByRole('alert').filter({ hasText: 'Drain server failed: Not at night.' }).waitFor()
    assert.equal(await banner(visit).count(), 0)
    assert.equal(await readiness(stage), 200)
  })
})
