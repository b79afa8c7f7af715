import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertAccessible } from './axe.ts'
import { inBrowser, together } from './browser.ts'
import { eventually } from './eventually.ts'
import { Stage } from './stage.ts'
import type { Visit } from './visit.ts'

/** As much as the page can show at once: a veto, a circuit, a drained one, events, an explanation. */
async function fill(stage: Stage, visit: Visit): Promise<void> {
  const { page, table } = visit
  stage.load()
  await stage.backend('beta').die()
  await stage.balancer.drain('gamma')
  await table.until('beta', 'State', /^unhealthy/)
  await table.until('gamma', 'State', /^draining/)
  await table.until('alpha', 'Rate', /^[1-9]/)
  await table.open('beta')
  await page.getByRole('form', { name: 'Explain' }).getByRole('button', { name: 'Explain' }).click()
  await page.getByRole('region', { name: 'Explanation' }).waitFor()
}

describe('a page for everybody', together, () => {
  test(
    'axe finds nothing serious: light and dark, wide and narrow, with a menu and with a dialog',
    inBrowser,
    async (t) => {
      const stage = await Stage.start(t)
      const visit = await (await stage.visit({ still: true })).live()
      const { page, table } = visit
      await fill(stage, visit)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        for (const width of [1280, 400]) {
          const look = `${colorScheme}, ${width} px wide`
          await page.setViewportSize({ width, height: 900 })
          await assertAccessible(page, look)
          await table.button('alpha').click()
          await table.menu.waitFor()
          await assertAccessible(page, `${look}, with a menu`, '[role=menu]')
          await table.item('Drain').click()
          const dialog = table.dialog('Drain', 'alpha')
          await dialog.waitFor()
          await assertAccessible(page, `${look}, with a dialog`, 'dialog')
          await dialog.getByRole('button', { name: 'Cancel' }).click()
          await dialog.waitFor({ state: 'detached' })
        }
      }
    },
  )

  test(
    'axe finds nothing serious in the drain of the server: light and dark, wide and narrow, with its dialogs',
    inBrowser,
    async (t) => {
      const stage = await Stage.start(t, { ids: ['alpha', 'beta'] })
      const { page } = await (await stage.visit({ still: true })).live()
      const dialog = page.getByRole('dialog')
      const everyLook = async (button: string, ending: string) => {
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          for (const width of [1280, 400]) {
            const look = `${button}, ${colorScheme}, ${width} px wide`
            await page.setViewportSize({ width, height: 900 })
            await assertAccessible(page, look)
            assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
            await page.getByRole('button', { name: button }).click()
            await dialog.waitFor()
            await assertAccessible(page, `${look}, with its dialog`, 'dialog')
            const box = (await dialog.boundingBox())!
            assert.ok(box.x >= 0 && box.x + box.width <= width, 'the dialog is in sight')
            await dialog.getByRole('button', { name: 'Cancel' }).click()
            await dialog.waitFor({ state: 'detached' })
          }
        }
        await page.getByRole('button', { name: button }).click()
        await dialog.getByRole('button', { name: ending }).click()
        await dialog.waitFor({ state: 'detached' })
      }
      await everyLook('Drain server', 'Drain server')
      await page.getByRole('alert').filter({ hasText: 'Server draining' }).waitFor()
      await everyLook('End drain', 'Cancel')
    },
  )

  test('axe finds nothing serious where a viewer sees a panic', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta'], second: 'api' })
    const visit = await stage.visit({ user: 'viewer', still: true })
    const { page, table } = visit
    await Promise.all(stage.backends.map((backend) => backend.die()))
    const overview = page.getByRole('table', { name: 'Balancers' })
    await overview.getByText('0 of 2 healthy · panic mode').nth(1).waitFor()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await assertAccessible(page, `overview of a panic, ${colorScheme}`)
    }
    await overview.getByRole('link', { name: 'api' }).click()
    await visit.live()
    await page.getByRole('alert').filter({ hasText: 'Panic' }).waitFor()
    await table.button('alpha').click()
    await table.menu.waitFor()
    await assertAccessible(page, 'panic, viewer, two balancers')
  })

  test(
    '400 px are enough: nothing has to be scrolled sideways, and every row can be acted on',
    inBrowser,
    async (t) => {
      const stage = await Stage.start(t, { ids: ['alpha', 'beta', 'gamma', undefined] })
      const visit = await stage.visit({ width: 400, height: 800 })
      const { page, table } = await visit.live()
      await fill(stage, visit)
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 400)
      const id = stage.backends[3]!.id
      for (const column of ['State', 'Share', 'In flight', 'Rate', 'Errors', 'p95', 'Probe', 'Weight'] as const) {
        const box = await table.cell(id, column).boundingBox()
        assert.ok(box !== null && box.width > 0 && box.x >= 0 && box.x + box.width <= 400, `${column} is in sight`)
      }
      await (await table.choose('Drain', id)).locator('[type=submit]').click()
      await table.until(id, 'State', /^draining/)
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 400)
    },
  )

  test(
    'from 1081 px on nothing has to be scrolled sideways either: long ids, reasons and evidence, large numbers',
    inBrowser,
    async (t) => {
      const ids = ['alpha', 'beta', 'gamma', 'orders.production.eu-west-1a.internal', undefined]
      const stage = await Stage.start(t, { ids })
      const visit = await stage.visit()
      const { page, table } = await visit.live()
      await fill(stage, visit)
      const long = { reason: 'x'.repeat(300), evidence: { sent: `GET http://${'y'.repeat(300)}/` } }
      stage.balancer.veto(stage.balancer.backend('alpha'), { by: 'disk-watch', ...long })
      await table.until('alpha', 'State', /disk-watch/)
      await table.open('alpha')
      await page.getByRole('form', { name: 'Explain' }).getByRole('button', { name: 'Explain' }).click()
      await page.getByRole('region', { name: 'Explanation' }).getByText('disk-watch').waitFor()
      // Figures that a test cannot bring about; measured before the page shows others.
      const scrolled = `(() => {
        const write = (column, text) => {
          for (const cell of document.querySelectorAll('.backends td.' + column)) cell.textContent = text
        }
        write('in-flight', '12,345')
        write('rate', '123,456/s')
        write('errors', '123,456 12 %')
        write('weight', '12,345 of 65535')
        return [...document.querySelectorAll('*')]
          .filter((one) => getComputedStyle(one).overflowX !== 'visible' && one.clientWidth > 1)
          .filter((one) => getComputedStyle(one).textOverflow !== 'ellipsis')
          .filter((one) => one.scrollWidth > one.clientWidth)
          .map((one) => one.tagName + ' ' + one.className + ': ' + one.scrollWidth + ' px in ' + one.clientWidth)
      })()`
      for (const width of [1081, 1240, 1241, 1280, 1639, 1640, 1719, 1720]) {
        await page.setViewportSize({ width, height: 900 })
        // On a busy machine, the page may not have heard of it yet.
        await page.waitForFunction(`innerWidth === ${width}`)
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
        assert.deepEqual(await page.evaluate(scrolled), [], `${width} px`)
      }
    },
  )

  test('the keyboard alone is enough', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta'] })
    const visit = await (await stage.visit()).live()
    // Until then, the keyboard passes by what only an operator can do.
    await visit.operated()
    const { page, table } = visit
    const { keyboard } = page
    const focused = () =>
      page.evaluate<string>(
        "(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '').trim()",
      )
    const tabTo = async (name: string, key = 'Tab') => {
      for (let n = 0; n < 60; n++) {
        if ((await focused()) === name) return
        await keyboard.press(key)
      }
      assert.fail(`${name} cannot be reached with ${key}; in the end: ${await focused()}`)
    }
    await tabTo('Actions for beta')
    await keyboard.press('Enter')
    await table.menu.waitFor()
    await tabTo('Set weight', 'ArrowDown')
    await keyboard.press('Enter')
    const dialog = table.dialog('Set weight', 'beta')
    await dialog.waitFor()
    await keyboard.press('ControlOrMeta+a')
    await keyboard.type('6')
    await tabTo('Set weight of beta')
    await keyboard.press('Enter')
    await table.until('beta', 'Weight', /^6$/)
    await dialog.waitFor({ state: 'detached' })
    assert.equal(stage.balancer.backend('beta').weight, 6)
    assert.equal(await focused(), 'Actions for beta')

    await keyboard.press('Enter')
    await table.menu.waitFor()
    await keyboard.press('Escape')
    await table.menu.waitFor({ state: 'detached' })
    assert.equal(await focused(), 'Actions for beta')

    await keyboard.press('Enter')
    await tabTo('Drain', 'ArrowDown')
    await keyboard.press('Space')
    await table.dialog('Drain', 'beta').waitFor()
    await keyboard.press('Escape')
    await table.dialog('Drain', 'beta').waitFor({ state: 'detached' })
    assert.equal(await focused(), 'Actions for beta')
    assert.equal(stage.balancer.backend('beta').state, 'ready')
  })

  test('the focus stays where it is while figures and states change', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const visit = await (await stage.visit()).live()
    const { page, table } = visit
    stage.load()
    await table.button('alpha').click()
    await table.item('Set weight').focus()
    await stage.backend('beta').die()
    await table.until('beta', 'State', /^unhealthy/)
    const first = await visit.figure('Requests per second')
    await eventually(
      'the figures have changed',
      () => visit.figure('Requests per second'),
      (rate) => rate !== first,
    )
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Set weight')
    await table.item('Set weight').click()
    const field = table.dialog('Set weight', 'alpha').getByLabel('Weight', { exact: true })
    await field.fill('42')
    await stage.backend('beta').live()
    await table.until('beta', 'State', /^healthy/)
    assert.equal(await field.inputValue(), '42')
  })

  test('the focus goes to the heading of the table when the row that had it is gone', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const visit = await stage.visit({ allowed: [/^console: .* 404 /] })
    const { page, table } = await visit.live()
    const focused = () => page.evaluate<string>('document.activeElement.textContent')
    const remove = async (id: string) => {
      await stage.balancer.remove(id)
      await table.row(id).waitFor({ state: 'detached' })
    }

    const dialog = await table.choose('Drain', 'alpha')
    await remove('alpha')
    assert.equal(await page.evaluate("document.activeElement.closest('dialog') !== null"), true)
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
    assert.equal(await focused(), 'Backends')

    const refused = await table.choose('Drain', 'beta')
    await remove('beta')
    await refused.locator('[type=submit]').click()
    await refused.waitFor({ state: 'detached' })
    assert.equal(await focused(), 'Backends')

    await table.button('gamma').click()
    await table.item('Drain').focus()
    await remove('gamma')
    await table.menu.waitFor({ state: 'detached' })
    assert.equal(await focused(), 'Backends')

    await table.button('delta').focus()
    await stage.balancer.add({ id: 'epsilon', url: stage.backend('alpha').url })
    await table.row('epsilon').waitFor()
    assert.equal(await page.evaluate("document.activeElement.getAttribute('aria-label')"), 'Actions for delta')
    await remove('delta')
    assert.equal(await focused(), 'Backends')
    // From there on, the next is what can be done with the list.
    await page.keyboard.press('Tab')
    assert.equal(await focused(), 'Add backend')
  })

  test('a theme is chosen, and remembered', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha'] })
    // A page that is left gives up its stream, and what it is asking.
    const { page } = await (
      await stage.visit({ allowed: [/^request failed: net::ERR_ABORTED .*\/_balancer\//] })
    ).live()
    const background = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor')
    const button = page.getByRole('button', { name: /^Theme: / })
    assert.equal(await button.innerText(), 'Theme: system')
    const light = await background()
    await page.emulateMedia({ colorScheme: 'dark' })
    const dark = await background()
    assert.notEqual(dark, light)
    await button.click()
    assert.equal(await button.innerText(), 'Theme: light')
    assert.equal(await background(), light)
    await button.click()
    assert.equal(await button.innerText(), 'Theme: dark')
    await page.emulateMedia({ colorScheme: 'light' })
    assert.equal(await background(), dark)
    await page.reload()
    assert.equal(await page.getByRole('button', { name: /^Theme: / }).innerText(), 'Theme: dark')
    assert.equal(await background(), dark)
  })
})
