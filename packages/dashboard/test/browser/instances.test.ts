import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InstanceView } from '../../page/api/instance-views.ts'
import { instancesView, instanceView } from '../page/told.ts'
import { assertAccessible } from './axe.ts'
import { inBrowser } from './browser.ts'
import { eventually } from './eventually.ts'
import { away, Stage } from './stage.ts'

const list = { name: 'default', revision: 7, digest: 'same', drift: false }
const ready = (id: string) => instanceView(id, { balancers: [list] })
const drifting = (id: string) =>
  instanceView(id, { balancers: [{ ...list, revision: 5, digest: 'other', drift: true }] })
const many = (count: number) => Array.from({ length: count }, (_, index) => ready(`balancer-7d9f8b:${4000 + index}`))

/** What the admin routes say of the fleet: each answer is 100 requests later than the one before. */
class ToldFleet {
  now: readonly InstanceView[] = []
  restarts = 0
  refusal: string | undefined
  wanted: number | undefined
  turn = 0

  view() {
    this.turn += 1
    const figures = { requests: 100 * this.turn, exchanges: 10 ** (this.turn % 4) }
    const view = instancesView(...this.now.map((one) => ({ ...one, ...figures })))
    return { ...view, ...(this.wanted !== undefined && { wanted: this.wanted }) }
  }

  restart() {
    this.restarts += 1
    const { refusal } = this
    return { applied: refusal === undefined, summary: refusal ?? 'Restarted', faults: [] }
  }
}

test('the instances of a fleet: their load, drift and restart, whatever their number', inBrowser, async (t) => {
  const stage = await Stage.start(t, { ids: ['alpha', 'beta'], second: 'api' })
  const fleet = new ToldFleet()
  fleet.now = many(1)
  const visit = await stage.visit({
    still: true,
    hash: '#balancer=default',
    allowed: away,
    prepare: async (page) => {
      await page.route('**/_balancer/instances', (route) => route.fulfill({ json: fleet.view() }))
      await page.route('**/_balancer/server/restart', (route) => route.fulfill({ json: fleet.restart() }))
    },
  })
  const { page } = await visit.live()
  await visit.operated()
  const section = page.getByRole('region', { name: 'Instances', exact: true })
  const rows = section.locator('tbody').getByRole('row')
  const restart = page.getByRole('button', { name: 'Restart server' })
  const be = async (instances: readonly InstanceView[]) => {
    fleet.now = instances
    await eventually(
      'the page shows them',
      () => rows.count(),
      (shown) => shown === instances.length,
    )
  }
  await eventually(
    'it has asked',
    () => fleet.turn,
    (turn) => turn > 0,
  )
  assert.equal(await section.count(), 0)
  assert.equal(await restart.count(), 0)

  fleet.now = many(4)
  // It asks anew after a reconnection.
  stage.cut()
  await section.getByText('4 ready', { exact: true }).waitFor()
  await eventually(
    'there is a rate',
    async () => (await rows.first().innerText()).replaceAll(/\s+/g, ' '),
    (text) =>
      /^balancer-7d9f8b:4000 keeper ready since [\w :]+ 1[,0]* \d[\d.]*\/s 25 % 90 MiB 20 % revision 7$/.test(text),
  )

  // A rolling restart: nothing moves.
  const places = () =>
    page.evaluate<string>(
      "[...document.querySelectorAll('.instances thead th, .failures, .feed')].map((one) => { const { x, y } = one.getBoundingClientRect(); return x + ' ' + (y + scrollY) }).join()",
    )
  const before = await places()
  const newcomer = instanceView('balancer-7d9f8b:5000', { state: 'starting', balancers: [list] })
  await be([...many(4), newcomer])
  await section.getByText('4 ready, 1 starting').waitFor()
  assert.equal(await places(), before)
  await be([{ ...many(1)[0]!, state: 'draining' }, ...many(4).slice(1), { ...newcomer, state: 'ready' }])
  await section.getByText('4 ready, 1 draining').waitFor()
  await be([...many(4).slice(1), ready('balancer-7d9f8b:5000')])
  assert.equal(await places(), before)

  // One has failed.
  fleet.wanted = 4
  await be(many(3))
  const few = section.getByText('3 of 4 ready', { exact: true })
  await few.waitFor()
  const colourOf = (selector: string) =>
    page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).color`)
  await page.evaluate('document.body.insertAdjacentHTML(\'beforeend\', \'<b class="bad" id="fault"></b>\')')
  assert.equal(await colourOf('.instances .title p'), await colourOf('#fault'))
  await page.evaluate("document.querySelector('#fault').remove()")
  await be(many(1))
  await section.getByText('1 of 4 ready', { exact: true }).waitFor()
  fleet.wanted = undefined

  // One uses another list.
  await be([...many(3), drifting('balancer-7d9f8b:4003')])
  const alert = page.getByRole('alert').filter({ hasText: 'Drift' })
  await alert.waitFor()
  assert.equal(await alert.innerText(), 'Drift balancer-7d9f8b:4003 uses another list of default (revision 5, not 7).')
  assert.match(await page.title(), /^● 1 instance drifts – default – /)
  await page.getByRole('tab', { name: 'default 2 of 2 healthy · 1 instance drifts' }).waitFor()
  for (const width of [380, 820, 1280, 1640, 1920]) {
    await page.setViewportSize({ width, height: 900 })
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
    const box = (await rows.last().boundingBox())!
    assert.ok(box.x >= 0 && box.x + box.width <= width, `a row is in sight, ${width} px wide`)
  }
  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 1280],
    ['dark', 380],
  ] as const) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 900 })
    await assertAccessible(page, `drift, ${colorScheme}, ${width} px wide`, 'main')
  }
  await page.setViewportSize({ width: 1280, height: 900 })

  // With 64, the table is no higher than with 16.
  await be(many(16))
  await alert.waitFor({ state: 'detached' })
  const height = (await section.boundingBox())!.height
  await be(many(64))
  assert.equal((await section.boundingBox())!.height, height)
  assert.ok(height < 400, `${height} px`)

  // The order waits for a confirmation, and a refusal says why.
  await restart.click()
  const dialog = page.getByRole('dialog', { name: 'Restart server' })
  await dialog.getByText('Each of the 64 instances is replaced').waitFor()
  assert.equal(fleet.restarts, 0)
  fleet.refusal = 'A restart is going on'
  await dialog.locator('[type=submit]').click()
  await dialog.getByText('Restart server failed: A restart is going on.').waitFor()
  fleet.refusal = undefined
  await dialog.locator('[type=submit]').click()
  await page.getByRole('status', { name: 'Outcome' }).filter({ hasText: 'Restarted' }).waitFor()
  assert.equal(fleet.restarts, 2)

  // In the overview, too.
  await page.getByRole('tab', { name: 'All balancers' }).click()
  await be([...many(3), drifting('balancer-7d9f8b:4003')])
  await page.getByRole('row', { name: /^default .*1 instance drifts/ }).waitFor()
  await alert.waitFor()
  await page.setViewportSize({ width: 380, height: 900 })
  await assertAccessible(page, 'overview, 380 px wide')
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 380)
})
