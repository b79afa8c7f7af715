import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inBrowser } from './browser.ts'
import { eventually } from './eventually.ts'
import { Stage } from './stage.ts'

const folder = join(import.meta.dirname, '..', '..', '..', '..', '.github', 'pictures')
const schemes = ['light', 'dark'] as const
const pathOf = (scheme: string) => join(folder, `dashboard-${scheme}.png`)
const largest = 150 * 1024

/** Takes the pictures anew, after so many minutes of traffic: `UPDATE_PICTURES=5 node --test …/pictures.test.ts`. */
const minutes = Number(process.env['UPDATE_PICTURES'] ?? 0)

test(
  'the pictures of the README are taken',
  {
    ...inBrowser,
    timeout: 60_000 * (minutes + 1),
    skip: inBrowser.skip || (minutes === 0 && 'UPDATE_PICTURES is not set'),
  },
  async (t) => {
    const stage = await Stage.start(t, { delay: 18, health: { fall: 3 }, circuits: { openFor: 60_000 } })
    const visit = await (await stage.visit({ still: true, height: 860 })).live()
    const { page, table } = visit
    mkdirSync(folder, { recursive: true })
    const begun = performance.now()
    const passed = (share: number) => performance.now() - begun > share * minutes * 60_000
    const wait = (share: number) => eventually('time has passed', () => passed(share), Boolean, minutes * 60_000)
    stage.load(6)
    await wait(0.4)
    const more = stage.load(6)
    await wait(0.7)
    await more.stop()
    await (await table.choose('Set weight', 'delta')).getByLabel('Weight', { exact: true }).fill('2')
    await page.getByRole('dialog').locator('[type=submit]').click()
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await wait(0.9)
    await stage.backend('gamma').die()
    await table.until('gamma', 'State', /^unhealthy/)
    await wait(1)
    await table.until('gamma', 'Share', /^0 %$/)
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme })
      const picture = await page.screenshot({ path: pathOf(colorScheme), animations: 'disabled', scale: 'css' })
      assert.ok(picture.length < largest, `${colorScheme}: ${picture.length} bytes`)
    }
  },
)

test('the pictures of the README are there, and small', () => {
  for (const scheme of schemes) {
    const picture = readFileSync(pathOf(scheme))
    assert.equal(picture.toString('latin1', 1, 4), 'PNG')
    assert.equal(picture.readUInt32BE(16), 1280, 'the width')
    assert.ok(picture.length < largest, `${picture.length} bytes`)
  }
})
