import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inBrowser, together } from './browser.ts'
import { eventually } from './eventually.ts'
import { Stage } from './stage.ts'

describe('several balancers', together, () => {
  test('an overview comes first, the worst balancer at its top, one click away', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta'], second: 'api' })
    const visit = await stage.visit()
    const { page, table } = visit
    const overview = page.getByRole('table', { name: 'Balancers' })
    const rows = () => overview.locator('tbody').getByRole('row').allInnerTexts()
    const first = async () => (await rows())[0]!
    await overview.waitFor()
    assert.match(await first(), /^default\b[^]*2 of 2 healthy/)
    stage.load(1, '/api/')
    await stage.balancers.get('api')!.drain('beta')
    await eventually('it has moved to the top', first, (text) => /^api\b[^]*1 of 2 healthy/.test(text))
    await eventually('its traffic is told', first, (text) => /[1-9]\d*\/s/.test(text))
    await page.getByText('1 of 2 needs attention.').waitFor()

    await overview.getByRole('link', { name: 'api' }).click()
    await table.until('beta', 'State', /^draining/)
    assert.equal(new URL(page.url()).hash, '#balancer=api')
    const tab = page.getByRole('tab', { name: /^api/ })
    assert.equal(await tab.getAttribute('aria-selected'), 'true')
    assert.equal((await tab.innerText()).trim(), 'api 1 of 2 healthy')
    // The link is gone, and the keyboard goes on from here.
    assert.equal(await page.evaluate("document.activeElement.textContent.startsWith(' api')"), true)

    await page.goBack()
    await overview.waitFor()
    await page.getByRole('tab', { name: 'All balancers' }).focus()
    await page.keyboard.press('ArrowRight')
    await table.until('beta', 'State', /^healthy/)
    assert.equal(await page.evaluate("document.activeElement.textContent.includes('default')"), true)
  })

  test('a link shows one balancer; of one that is gone, the overview', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta'], second: 'api' })
    await stage.balancers.get('api')!.drain('beta')
    const { table } = await (await stage.visit({ hash: '#balancer=api' })).live()
    await table.until('beta', 'State', /^draining/)
    const gone = await stage.visit({ hash: '#balancer=gone' })
    await gone.page.getByRole('table', { name: 'Balancers' }).waitFor()
  })
})

test('the title and the icon carry the state, in the background too', inBrowser, async (t) => {
  const stage = await Stage.start(t, { ids: ['alpha', 'beta', 'gamma'] })
  const { page } = await stage.visit({ allowed: [/^request failed: net::ERR_ABORTED /] })
  // A tab in the background gets no frames.
  await page.addInitScript('globalThis.requestAnimationFrame = () => 0')
  await page.reload()
  const look = async () => `${await page.title()} ${await page.locator('link[rel=icon]').getAttribute('href')}`
  await eventually('all is well', look, (text) => /^fastify-balancer .*\bicon-(?!warn|bad)/.test(text))
  await stage.backend('beta').die()
  await eventually('one is unhealthy', look, (text) =>
    /^● 1 of 3 unhealthy – default – fastify-balancer .*\bicon-warn/.test(text),
  )
  await Promise.all(stage.backends.map((backend) => backend.die()))
  await eventually('all are', look, (text) => /^● 3 of 3 unhealthy, panic mode – .*\bicon-bad/.test(text))
  const icon = await page.request.get(
    new URL((await page.locator('link[rel=icon]').getAttribute('href'))!, page.url()).href,
  )
  assert.match(icon.headers()['content-type']!, /^image\/svg\+xml/)
  await Promise.all(stage.backends.map((backend) => backend.live()))
  await eventually('all is well again', look, (text) => /^fastify-balancer .*\bicon-(?!warn|bad)/.test(text))
})
