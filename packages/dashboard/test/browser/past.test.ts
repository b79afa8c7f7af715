import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { ask } from '../../../../test/support/ask.ts'
import { assertAccessible } from './axe.ts'
import { inBrowser } from './browser.ts'
import { eventually } from './eventually.ts'
import { Stage } from './stage.ts'
import { authorizationOf } from './users.ts'
import type { Load } from './load.ts'
import type { Visit } from './visit.ts'

/** How long before the page is opened everything happens (ms). */
const ago = 70_000

/** Until it is called back to now, the time of day is that of a while ago. */
function timeOfDay(t: TestContext): { readonly now: () => void } {
  const { now } = Date
  let shift = ago
  t.mock.method(Date, 'now', () => now() - shift)
  return { now: () => void (shift = 0) }
}

/** The text beside a name in a list of names and values. */
async function valueOf(list: Locator, name: string): Promise<string> {
  return list
    .locator('div')
    .filter({ has: list.page().getByText(name, { exact: true }) })
    .locator('dd')
    .innerText()
}

function numberIn(text: string): number {
  return Number(text.replaceAll(',', '').split(' ')[0])
}

async function order(stage: Stage, id: string, body: object): Promise<void> {
  const headers = { authorization: authorizationOf('operator'), 'content-type': 'application/json' }
  const url = `${stage.origin}/_balancer/balancers/default/backends/${id}/state`
  const { status } = await ask(url, { method: 'PUT', headers, body: JSON.stringify(body) })
  assert.equal(status, 200)
}

/** One backend dies, one answers 500, one is drained; what clients got is in the load. */
async function incident(stage: Stage) {
  const load = stage.load(4)
  await eventually(
    'all is well',
    () => load.answered,
    (answered) => answered > 20,
  )
  stage.backend('gamma').answerWith(500)
  await stage.backend('beta').die()
  const { balancer } = stage
  await eventually(
    'beta is out',
    () => balancer.backend('beta').available,
    (available) => !available,
  )
  await order(stage, 'delta', { state: 'drain', deadline: 2_000_000 })
  await eventually(
    'many have failed',
    () => load.byStatus.get(500) ?? 0,
    (failed) => failed > 30,
  )
  await load.stop()
  return load
}

/** Is there anything in this colour left of the last tenth of a chart, where now is? */
function isDrawn(page: Page, chart: string, colour: string): Promise<boolean> {
  return page.evaluate<boolean>(`(() => {
    const canvas = document.querySelector('[role=img][aria-label^="${chart}"] canvas')
    if (canvas === null) return false
    const probe = new OffscreenCanvas(1, 1).getContext('2d')
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--${colour}')
    probe.fillRect(0, 0, 1, 1)
    const wanted = probe.getImageData(0, 0, 1, 1).data
    const { width, height } = canvas
    const { data } = canvas.getContext('2d').getImageData(Math.floor(width / 3), 0, Math.floor(width * 0.55), height)
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] === 255 && [0, 1, 2].every((part) => Math.abs(data[at + part] - wanted[part]) < 8)) return true
    return false
  })()`)
}

async function assertTold(stage: Stage, { page, table }: Visit, load: Load): Promise<void> {
  const { answered, byStatus } = load
  const well = byStatus.get(200)!
  const failed = answered - well
  const totals = page.getByLabel('In all', { exact: true })
  await eventually(
    'the past is there',
    async () => numberIn(await valueOf(totals, 'Requests')),
    (all) => all === answered,
  )
  assert.equal(numberIn(await valueOf(totals, 'Failed')), failed)
  assert.equal(numberIn(await valueOf(totals, '5xx')), failed)
  assert.equal(numberIn(await valueOf(totals, '2xx')), well)
  for (const [chart, colour] of [
    ['Requests', 'middle'],
    ['Errors', 'bad'],
    ['Latency', 'high'],
  ] as const)
    await eventually(`${chart} are drawn`, () => isDrawn(page, chart, colour), Boolean)

  // The others were refused by beta.
  assert.match(await table.text('gamma', 'Errors'), new RegExp(`^${byStatus.get(500)} \\d+ %$`))
  assert.equal(await table.cell('gamma', 'Errors').locator('.burning').count(), 1)
  assert.match(await table.text('alpha', 'Errors'), /^0$/)
  assert.match(await table.text('beta', 'State'), /^unhealthy\s+health-check .*refused.* for 1 min/i)
  assert.match(await table.text('beta', 'Probe'), /refused[^]*\d+(\.\d)? ms, \d+ s ago$/i)
  const drained = stage.balancer.backend('delta').vetoes[0]!
  const clock = (time: number) => new Date(time).toLocaleTimeString('en-GB')
  const state = await table.text('delta', 'State')
  assert.match(state, /^draining\s+by operator, since .* until .* \(in 3\d min\)$/)
  assert.ok(state.includes(clock(drained.since)) && state.includes(clock(drained.until!)), state)
}

test('opened more than a minute after an incident, the page shows what happened', inBrowser, async (t) => {
  const time = timeOfDay(t)
  const stage = await Stage.start(t, { circuits: { failures: 100_000 } })
  const load = await incident(stage)
  const before = Date.now()
  time.now()
  const visit = await (await stage.visit()).live()
  const { page, table } = visit
  await assertTold(stage, visit, load)

  const feed = page.getByRole('log', { name: 'Events' })
  const line = feed.getByRole('listitem').filter({ hasText: /beta unhealthy \(health-check\): .*refused/i })
  const at = await line.locator('time').getAttribute('datetime')
  assert.ok(new Date(at!).getTime() <= before, `${at} is before the page was opened`)
  await feed.getByText(/operator set .*delta: ready → drain \(deadline /).waitFor()

  const failures = page.getByRole('table', { name: 'Failed requests' }).locator('tbody tr')
  await eventually(
    'the last failed requests are there',
    () => failures.count(),
    (count) => count === 20,
  )
  const answered = failures.filter({ hasText: 'gamma' }).first()
  assert.match(
    (await answered.innerText()).replaceAll(/\s+/g, ' '),
    /^\d\d:\d\d:\d\d GET \/ 500 status 500 backend gamma status 500 .* ms .* ms$/,
  )

  const details = await table.open('gamma')
  assert.match(
    (await details.innerText()).replaceAll(/\s+/g, ' '),
    new RegExp(`5xx ${load.byStatus.get(500)} .*None since the start`),
  )
  for (const width of [1280, 768, 400]) {
    await page.setViewportSize({ width, height: 900 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await assertAccessible(page, `the past, ${width} px, ${colorScheme}`)
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
    }
  }
})

test('the range is chosen by keyboard, is in the address, and stays after a reload', inBrowser, async (t) => {
  const time = timeOfDay(t)
  const stage = await Stage.start(t, { ids: ['alpha'] })
  const load = stage.load(1)
  await eventually(
    'all is well',
    () => load.answered,
    (answered) => answered > 20,
  )
  await load.stop()
  time.now()
  const visit = await stage.visit({ allowed: [/^request failed: net::ERR_ABORTED .*\/_balancer\//] })
  const { page } = await visit.live()
  const totals = page.getByLabel('In all', { exact: true })
  const all = () => valueOf(totals, 'Requests').then(numberIn)
  await page.getByRole('radio', { name: '5 min', exact: true }).focus()
  for (const [name, hash, words] of [
    ['15 min', '#range=15m', '15 minutes'],
    ['1 h', '#range=1h', '1 hour'],
    ['6 h', '#range=6h', '6 hours'],
    ['24 h', '#range=24h', '24 hours'],
  ] as const) {
    await page.keyboard.press('ArrowRight')
    assert.equal(await page.getByRole('radio', { name, exact: true }).isChecked(), true)
    assert.equal(await page.evaluate('location.hash'), hash)
    await page.getByRole('img', { name: `Latency over ${words}` }).waitFor()
    await eventually(`the requests of ${words}`, all, (requests) => requests === load.answered)
  }
  await page.reload()
  await visit.live()
  assert.equal(await page.getByRole('radio', { name: '24 h', exact: true }).isChecked(), true)
  await eventually('the requests of 24 hours', all, (requests) => requests === load.answered)
  await page.evaluate("location.hash = ''")
  await page.getByRole('img', { name: 'Latency over 5 minutes' }).waitFor()
  // Live seconds are added to the past.
  const more = stage.load(1)
  await eventually('requests are added', all, (requests) => requests > load.answered)
  await more.stop()
  await eventually('all are there', all, (requests) => requests === load.answered + more.answered)
})

test('a server on which nothing has happened is told as such', inBrowser, async (t) => {
  const stage = await Stage.start(t, { ids: ['alpha'] })
  const { page } = await (await stage.visit()).live()
  await page.getByText('Nothing has happened since the server was started.').waitFor()
  await page.getByText('No request has failed since the server was started.').waitFor()
})

test('a request that failed is told with its attempts, and why; a full queue with its reason', inBrowser, async (t) => {
  const stage = await Stage.start(t, {
    ids: ['alpha'],
    balancer: { pool: { connections: 1 }, queue: { max: 1 }, timeouts: { queue: 60_000, headers: 60_000 } },
    health: { type: 'none' },
  })
  const { page } = await (await stage.visit({ allowed: [] })).live()
  const alpha = stage.backend('alpha')
  alpha.hold()
  const first = ask(`${stage.origin}/orders?secret=1`, { method: 'POST', body: 'x' })
  await eventually(
    'it is asked',
    () => alpha.asked,
    (asked) => asked === 1,
  )
  const second = ask(`${stage.origin}/second`)
  await eventually(
    'one waits',
    () => stage.balancer.queue.length,
    (waiting) => waiting === 1,
  )
  assert.equal((await ask(`${stage.origin}/third`)).status, 503)
  const totals = page.getByLabel('In all', { exact: true })
  await eventually(
    'the queue is told',
    () => valueOf(totals, 'Queue'),
    (text) => text === '1 of 1 waiting, 1 refused as full',
  )
  await alpha.die()
  assert.deepEqual([(await first).status, (await second).status], [502, 502])
  const rows = page.getByRole('table', { name: 'Failed requests' }).locator('tbody tr')
  const told = async () => (await rows.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').replace(/^\S+ /, ''))
  const seen = await eventually('all three are told', told, (lines) => lines.length === 3)
  assert.match(
    seen.find((line) => line.startsWith('GET /third'))!,
    /^GET \/third 503 queue-full proxy none /,
  )
  assert.match(
    seen.find((line) => line.startsWith('POST'))!,
    /^POST \/orders 502 reset-before-headers backend alpha reset-before-headers .* ms /,
  )
  assert.match(
    seen.find((line) => line.startsWith('GET /second'))!,
    / 502 connect-refused backend alpha connect-refused .* \(waited .*\)$/,
  )
})
