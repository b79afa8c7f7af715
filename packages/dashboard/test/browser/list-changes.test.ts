import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { assertAccessible } from './axe.ts'
import { inBrowser, together } from './browser.ts'
import { eventually } from './eventually.ts'
import { Stage } from './stage.ts'
import type { Visit } from './visit.ts'

const outcome = ({ page }: Visit) => page.getByRole('status', { name: 'Outcome' })

async function open(visit: Visit, button: 'Add backend' | 'Roll back') {
  await visit.operated()
  await visit.page.getByRole('button', { name: button, exact: true }).click()
  const dialog = visit.page.getByRole('dialog', { name: button })
  await dialog.waitFor()
  return dialog
}

describe('what an operator does with the list', together, () => {
  test('a backend is added, once every fault of it is mended', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta'] })
    const visit = await (await stage.visit({ allowed: [/^console: .* 400 /] })).live()
    const { page, table } = visit
    const dialog = await open(visit, 'Add backend')
    await dialog.getByLabel('URL').fill('ftp://10.0.0.1')
    await dialog.getByLabel('Id').fill('a'.repeat(150))
    await dialog.locator('[type=submit]').click()
    const refused = dialog.getByRole('alert')
    await refused.getByText('Add backend failed, for 2 reasons:').waitFor()
    assert.equal(await refused.getByRole('listitem').count(), 2)
    await assertAccessible(page, 'a refusal', 'dialog')
    assert.equal(stage.balancer.backends.length, 2)

    await dialog.getByLabel('URL').fill(stage.backend('alpha').url.replace('127.0.0.1', 'localhost'))
    await dialog.getByLabel('Id').fill('gamma')
    await dialog.getByText('More options').click()
    await dialog.getByLabel('Tags').fill('canary')
    await dialog.locator('[type=submit]').click()
    await dialog.waitFor({ state: 'detached' })
    await outcome(visit).filter({ hasText: 'gamma is added.' }).waitFor()
    await table.row('gamma').waitFor()
    assert.deepEqual(stage.balancer.backend('gamma').tags, ['canary'])
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Add backend')
  })

  test(
    'a backend is removed, what it has in flight by the deadline; the last one on insistence',
    inBrowser,
    async (t) => {
      const stage = await Stage.start(t, { ids: ['alpha', 'beta'] })
      const visit = await (await stage.visit({ allowed: [/^console: .* 409 /] })).live()
      const { table } = visit
      stage.backend('alpha').hold()
      await stage.balancer.drain('beta')
      const answer = ask(stage.origin)
      await eventually(
        'the request is in flight',
        () => stage.backend('alpha').asked,
        (asked) => asked === 1,
      )
      stage.balancer.ready('beta')
      await table.until('alpha', 'In flight', /^1\b/)
      await table.until('beta', 'State', /^healthy/)
      const dialog = await table.choose('Remove', 'alpha')
      await dialog.getByText('The request in flight may finish within 30 s; then it is aborted.').waitFor()
      await dialog.getByLabel('Deadline (seconds)').fill('0.1')
      await dialog.getByText('The request in flight may finish within 100 ms; then it is aborted.').waitFor()
      await dialog.locator('[type=submit]').click()
      await table.row('alpha').waitFor({ state: 'detached' })
      // A GET whose connection was cut may be asked of the other one.
      assert.ok([200, 502, 503].includes((await answer).status))

      const last = await table.choose('Remove', 'beta')
      await last.getByText('It is the last backend in rotation').waitFor()
      await last.locator('[type=submit]').click()
      await last.getByRole('alert').getByText('Remove beta failed').waitFor()
      assert.equal(stage.balancer.backends.length, 1)
      await last.getByLabel('Do it anyway').check()
      await last.locator('[type=submit]').click()
      await visit.page.getByText('No backends: every request is answered with 503.').waitFor()
    },
  )

  test('a rollback shows what it would change before it is confirmed', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta', 'gamma'] })
    const visit = await (await stage.visit({ allowed: [/^console: .* 412 /] })).live()
    const { page, table } = visit
    const { balancer } = stage
    const { revision } = balancer.set
    await balancer.update('alpha', { weight: 4 })
    await balancer.remove('beta')
    await balancer.add({ id: 'delta', url: stage.backend('alpha').url })
    await table.row('delta').waitFor()
    const dialog = await open(visit, 'Roll back')
    await dialog.getByLabel('Back to').selectOption({ value: String(revision) })
    const preview = dialog.getByRole('status', { name: 'Preview' }).getByRole('listitem')
    const told = async () => (await preview.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim())
    await eventually('it is shown', told, (lines) =>
      ['+ added beta', '− removed delta', '~ changed alpha: weight 4 → 1'].every((line) => lines.includes(line)),
    )
    await assertAccessible(page, 'the preview of a rollback', 'dialog')
    assert.equal(balancer.backends.length, 3)

    await balancer.update('gamma', { weight: 9 })
    await dialog.locator('[type=submit]').click()
    const conflict = dialog.getByRole('alert')
    await conflict.getByText('gamma: weight 1 → 9').waitFor()
    assert.equal(balancer.backend('alpha').weight, 4)
    await eventually('the preview is that of the list as it is now', told, (lines) =>
      lines.includes('~ changed gamma: weight 9 → 1'),
    )
    await dialog.locator('[type=submit]').click()
    await dialog.waitFor({ state: 'detached' })
    await outcome(visit)
      .filter({ hasText: `The list is that of revision ${revision} again` })
      .waitFor()
    await table.row('beta').waitFor()
    assert.deepEqual(
      balancer.backends.map(({ id, weight }) => `${id} ${weight}`),
      ['alpha 1', 'beta 1', 'gamma 1'],
    )
  })

  test('a viewer may not', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta'] })
    const { page } = await (await stage.visit({ user: 'viewer' })).live()
    await page.getByText('Read-only').waitFor()
    for (const name of ['Add backend', 'Roll back']) {
      const button = page.getByRole('button', { name, exact: true })
      assert.equal(await button.isDisabled(), true)
      await button.click({ force: true })
      assert.equal(await page.getByRole('dialog').count(), 0)
    }
  })
})
