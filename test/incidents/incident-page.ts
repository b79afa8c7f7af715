import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { eventually } from '../../packages/dashboard/test/browser/eventually.ts'
import { visit, type Visit } from '../../packages/dashboard/test/browser/visit.ts'
import { sumsOf } from './agreement.ts'
import type { OnPage } from './incident.ts'
import type { Stage } from './stage.ts'

const widths = [1280, 768, 400]

/** Time stands still while the page is looked at, and so nothing comes; on a slow machine the page asks again. */
const streamWasQuiet = /^request failed: net::ERR_ABORTED .*\/events\?/

/** How long the page may take to show what it has been told (ms). */
const patience = 15_000

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

/** The sums of requests are those that clients saw. */
async function assertSums(opened: Visit, stage: Stage): Promise<Record<string, string>> {
  const { requests, failed, '2xx': well, '5xx': bad } = sumsOf(stage)
  const wanted = { Requests: requests, Failed: failed, '2xx': well, '5xx': bad }
  const numbers = (seen: Record<string, string>) =>
    Object.fromEntries(Object.keys(wanted).map((name) => [name, Number(seen[name]?.replaceAll(',', '').split(' ')[0])]))
  const seen = await eventually(
    'the page has all requests',
    () => listOn(opened, 'In all'),
    (all) => numbers(all)['Requests'] === requests,
  )
  assert.deepEqual(numbers(seen), wanted)
  return seen
}

async function assertRows({ table }: Visit, rows: NonNullable<OnPage['rows']>): Promise<void> {
  for (const [id, cells] of Object.entries(rows))
    for (const [column, pattern] of Object.entries(cells))
      assert.match(oneLine(await table.text(id, column as 'State')), pattern, `${column} of ${id}`)
}

async function assertEvents({ page }: Visit, events: OnPage['events']): Promise<void> {
  const feed = page.getByRole('log', { name: 'Events' })
  const lines = await feed.getByRole('listitem').locator('> span').allInnerTexts()
  const told = lines.map((text) => oneLine(text).replaceAll(/\d+ MiB/g, 'N MiB'))
  for (const event of events) assert.ok(told.includes(event), `${event} is among\n${told.join('\n')}`)
}

async function assertFailure({ page }: Visit, failure: RegExp): Promise<void> {
  const row = page.getByRole('table', { name: 'Failed requests' }).locator('tbody tr').first()
  assert.match(oneLine(await row.innerText()).replace(/^\S+ /, ''), failure)
}

async function takePictures({ page }: Visit, t: TestContext, name: string): Promise<void> {
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 })
    await eventually(
      'nothing sticks out',
      () => page.evaluate('document.documentElement.scrollWidth'),
      (seen) => seen === width,
    )
    const path = join(pictures(t), `${name.replaceAll(' ', '-')}-${width}.png`)
    await page.screenshot({ path, fullPage: true })
  }
}

/** Opens the page, reads it as somebody would who knows nothing yet, and takes pictures of it. */
export async function assertOnPage(
  t: TestContext,
  stage: Stage,
  name: string,
  { title, alert, rows = {}, events, sums = {}, process = {}, failure }: OnPage,
): Promise<void> {
  const opened = await visit(stage.url, { still: true, allowed: [streamWasQuiet] })
  t.after(() => opened.end(t))
  const { page } = await opened.live()
  try {
    assert.partialDeepStrictEqual(await assertSums(opened, stage), sums)
    assert.partialDeepStrictEqual(await listOn(opened, 'Process'), process)
    // More comes while the page is open.
    await stage.pass(watched)
    await assertSums(opened, stage)
    await assertRows(opened, rows)
    await assertEvents(opened, events)
    if (failure !== undefined) await assertFailure(opened, failure)
    await eventually(
      `the alert is ${alert}`,
      async () => (await page.getByRole('alert').allInnerTexts()).map(oneLine).join('\n'),
      (text) => (alert === undefined ? text === '' : alert.test(text)),
      patience,
    )
    await eventually(
      `the title is ${title}`,
      () => page.title(),
      (text) => text === title,
      patience,
    )
    await page.getByText('Loading …').first().waitFor({ state: 'hidden' })
  } finally {
    await takePictures(opened, t, name)
  }
}
