import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { eventually } from '../../packages/dashboard/test/browser/eventually.ts'
import { visit, type Visit } from '../../packages/dashboard/test/browser/visit.ts'
import { sumsOf } from './agreement.ts'
import type { OnPage } from './incident.ts'
import type { Stage } from './stage.ts'

const widths = [1280, 768, 400]

/** For how long somebody looks at the page (s). */
const watched = 3

let folder: string | undefined

/** Where the pictures of this run are; it is said once. */
function pictures(t: TestContext): string {
  if (folder === undefined) {
    folder = mkdtempSync(join(tmpdir(), 'incidents-'))
    t.diagnostic(`pictures: ${folder}`)
  }
  return folder
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim()

/** The names and values of a list. */
async function listOn({ page }: Visit, name: 'In all' | 'Process'): Promise<Record<string, string>> {
  const all = await page.getByLabel(name, { exact: true }).locator('div').allInnerTexts()
  return Object.fromEntries(all.map((text) => text.split('\n').filter(Boolean) as [string, string]))
}

async function assertSums(opened: Visit, stage: Stage, sums: OnPage['sums']): Promise<void> {
  const { requests, failed, '2xx': well, '5xx': bad } = sumsOf(stage)
  const wanted = { Requests: requests, Failed: failed, '2xx': well, '5xx': bad }
  const numbers = (seen: Record<string, string>) =>
    Object.fromEntries(Object.keys(wanted).map((name) => [name, Number(seen[name]?.replaceAll(',', '').split(' ')[0])]))
  const seen = await eventually(
    'the past is there',
    () => listOn(opened, 'In all'),
    (all) => numbers(all)['Requests'] === requests,
    10_000,
  )
  assert.deepEqual(numbers(seen), wanted)
  assert.partialDeepStrictEqual(seen, sums ?? {})
}

/** Opens the page, reads it as somebody would who knows nothing yet, and takes pictures of it. */
export async function assertOnPage(
  t: TestContext,
  stage: Stage,
  name: string,
  { title, alert, rows = {}, events, sums, process: figures = {}, failure }: OnPage,
): Promise<void> {
  const opened = await (await visit(stage.url, { still: true })).live()
  const { page, table } = opened
  try {
    // Figures of the last seconds come while the page is open.
    await stage.pass(watched)
    await page.getByText('Loading …').first().waitFor({ state: 'hidden' })
    await assertSums(opened, stage, sums)
    assert.partialDeepStrictEqual(await listOn(opened, 'Process'), figures)
    for (const [id, cells] of Object.entries(rows))
      for (const [column, pattern] of Object.entries(cells))
        assert.match(oneLine(await table.text(id, column as 'State')), pattern, `${column} of ${id}`)
    const lines = await page
      .getByRole('log', { name: 'Events' })
      .getByRole('listitem')
      .locator('> span')
      .allInnerTexts()
    const told = lines.map((text) => oneLine(text).replaceAll(/\d+ MiB/g, 'N MiB'))
    for (const event of events) assert.ok(told.includes(event), `${event} is among\n${told.join('\n')}`)
    if (failure !== undefined) {
      const row = page.getByRole('table', { name: 'Failed requests' }).locator('tbody tr').first()
      assert.match(oneLine(await row.innerText()).replace(/^\S+ /, ''), failure)
    }
    const alerts = (await page.getByRole('alert').allInnerTexts()).map(oneLine)
    if (alert === undefined) assert.deepEqual(alerts, [])
    else assert.match(alerts.join('\n'), new RegExp(alert))
    assert.equal(await page.title(), title)
  } finally {
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 })
      const path = join(pictures(t), `${name.replaceAll(' ', '-')}-${width}.png`)
      await page.screenshot({ path, fullPage: true })
      if (process.env['PAGE']) writeFileSync(path.replace(/-\d+\.png/, '.txt'), await page.locator('body').innerText())
    }
    await opened.end(t)
  }
}
