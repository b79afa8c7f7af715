import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { inBrowser, together } from './browser.ts'
import { eventually } from './eventually.ts'
import { Stage } from './stage.ts'
import type { Visit } from './visit.ts'

const outcome = ({ page }: Visit) => page.getByRole('status', { name: 'Outcome' })
const refusal = ({ page }: Visit) => page.getByRole('alert').filter({ hasText: 'failed' })

describe('what an operator does', together, () => {
  test(
    'a backend is drained by click, once that is confirmed, made ready again, and put in maintenance',
    inBrowser,
    async (t) => {
      const stage = await Stage.start(t)
      const visit = await (await stage.visit()).live()
      const { table } = visit
      const { balancer } = stage
      const dialog = await table.choose('Drain', 'beta')
      await dialog.getByText('Empty = 30 s (the option drainDeadline), 0 = wait for ever.').waitFor()
      await dialog.getByRole('button', { name: 'Drain beta', exact: true }).waitFor()
      assert.equal(balancer.backend('beta').state, 'ready')
      await dialog.locator('[type=submit]').click()
      await dialog.waitFor({ state: 'detached' })
      await table.until('beta', 'State', /^draining/)
      assert.equal(balancer.backend('beta').state, 'drain')
      await outcome(visit).filter({ hasText: 'beta' }).waitFor()
      for (let n = 0; n < 6; n++) assert.notEqual((await ask(stage.origin)).body, 'beta')
      await visit.page
        .getByRole('log', { name: 'Events' })
        .getByText('operator set beta: ready → drain (deadline 30 s)')
        .waitFor()
      await table.until('beta', 'State', /^draining\s+by operator\b[^]*until \d\d:\d\d:\d\d/)

      await (await table.choose('Back to ready', 'beta')).locator('[type=submit]').click()
      await table.until('beta', 'State', /^healthy/)
      assert.equal(balancer.backend('beta').state, 'ready')

      await (await table.choose('Put in maintenance', 'gamma')).locator('[type=submit]').click()
      await table.until('gamma', 'State', /^maintenance/)
      assert.equal(balancer.backend('gamma').state, 'maintenance')
    },
  )

  test('what is left at the deadline of a drain is cut', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta'] })
    const { table } = await (await stage.visit()).live()
    await stage.balancer.drain('beta')
    const alpha = stage.backend('alpha')
    alpha.hold()
    const answer = ask(stage.origin)
    await eventually(
      'the request is in flight',
      () => alpha.asked,
      (asked) => asked === 1,
    )
    const dialog = await table.choose('Drain', 'alpha')
    await dialog.getByLabel('Deadline (seconds)').fill('0.1')
    await dialog.locator('[type=submit]').click()
    // Nobody else is left who could be asked instead.
    assert.equal((await answer).status, 503)
  })

  test('the weight of a backend is changed, of one too that is called by its address', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', undefined] })
    const { table } = await (await stage.visit()).live()
    const { balancer } = stage
    const { revision } = balancer.set
    const { id } = stage.backends[1]!
    const dialog = await table.choose('Set weight', id)
    const field = dialog.getByLabel('Weight', { exact: true })
    assert.equal(await field.inputValue(), '1')
    await field.fill('0')
    await dialog.locator('[type=submit]').click()
    assert.equal(await dialog.isVisible(), true)
    assert.equal(balancer.set.revision, revision)
    await field.fill('5')
    await dialog.locator('[type=submit]').click()
    await table.until(id, 'Weight', /^5$/)
    assert.equal(balancer.backend(id).weight, 5)
    assert.equal(balancer.set.revision, revision + 1)
    assert.equal(await table.text('alpha', 'Weight'), '1')
  })

  test('a weight is not changed when somebody else has changed the list meanwhile', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const visit = await (await stage.visit({ allowed: [/^console: .* 412 /] })).live()
    const { page, table } = visit
    const { balancer } = stage
    const dialog = await table.choose('Set weight', 'alpha')
    await dialog.getByLabel('Weight', { exact: true }).fill('9')
    // Between the click and the request: later than anything that the page could know.
    await page.route('**/backends/alpha', async (route) => {
      await balancer.update('alpha', { weight: 4 })
      await route.continue()
    })
    await dialog.locator('[type=submit]').click()
    const told = refusal(visit)
    await told.getByText(/the list was changed meanwhile \(revision \d+ → \d+\)\. Nothing was done\./).waitFor()
    await told.getByText('alpha: weight 1 → 4').waitFor()
    await table.until('alpha', 'Weight', /^4$/)
    assert.equal(balancer.backend('alpha').weight, 4)
    // What was entered is still there, and is now meant for the list as it is.
    await page.unroute('**/backends/alpha')
    await dialog.locator('[type=submit]').click()
    await dialog.waitFor({ state: 'detached' })
    await table.until('alpha', 'Weight', /^9$/)
  })

  test(
    'a circuit is held open, held closed, and left to itself; a probe says what came of it',
    inBrowser,
    async (t) => {
      const stage = await Stage.start(t)
      const visit = await (await stage.visit()).live()
      const { table } = visit
      const circuit = () => stage.circuitOf('delta').state
      const hold = async (action: 'Open circuit' | 'Close circuit' | 'Release circuit') =>
        (await table.choose(action, 'delta')).locator('[type=submit]').click()
      await hold('Open circuit')
      await table.until('delta', 'State', /^unhealthy[^]*circuit/)
      assert.equal(circuit(), 'isolated')
      await hold('Close circuit')
      await table.until('delta', 'State', /^healthy/)
      assert.equal(circuit(), 'closed')
      await hold('Release circuit')
      await outcome(visit)
        .filter({ hasText: /delta now has a closed circuit\./ })
        .waitFor()
      assert.equal(circuit(), 'closed')

      const dialog = await table.choose('Open circuit', 'delta')
      await dialog.getByLabel('For (seconds)').fill('2')
      await dialog.getByLabel('Reason').fill('slow since the release')
      await dialog.locator('[type=submit]').click()
      await table.until('delta', 'State', /^unhealthy[^]*held open: slow since the release/)

      await (await table.choose('Probe now', 'alpha')).locator('[type=submit]').click()
      await outcome(visit)
        .filter({ hasText: /alpha.*good.*200/ })
        .waitFor()
      await table.until('delta', 'State', /^healthy/)
    },
  )

  test('who cancels, or presses Escape, changes nothing', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const { page, table } = await (await stage.visit()).live()
    const changes: string[] = []
    page.on('request', (request) => {
      if (request.method() !== 'GET') changes.push(`${request.method()} ${request.url()}`)
    })
    const dialog = await table.choose('Put in maintenance', 'alpha')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
    const other = await table.choose('Set weight', 'alpha')
    await other.getByLabel('Weight', { exact: true }).fill('7')
    await page.keyboard.press('Escape')
    await other.waitFor({ state: 'detached' })
    await table.button('alpha').click()
    await table.menu.waitFor()
    await page.keyboard.press('Escape')
    await table.menu.waitFor({ state: 'detached' })
    // Whatever the clicks have brought about was asked for before this.
    await (await table.choose('Drain', 'beta')).locator('[type=submit]').click()
    await table.until('beta', 'State', /^draining/)
    assert.deepEqual(changes, [`PUT ${stage.origin}/_balancer/balancers/default/backends/beta/state`])
    assert.equal(stage.balancer.backend('alpha').state, 'ready')
    assert.equal(stage.balancer.backend('alpha').weight, 1)
  })

  test('a backend that is gone meanwhile: the refusal is told', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const visit = await (await stage.visit({ allowed: [/^console: .* 404 /] })).live()
    const dialog = await visit.table.choose('Drain', 'alpha')
    await stage.balancer.remove('alpha')
    await dialog.locator('[type=submit]').click()
    await refusal(visit).filter({ hasText: 'alpha' }).waitFor()
    await visit.table.row('alpha').waitFor({ state: 'detached' })
  })
})
