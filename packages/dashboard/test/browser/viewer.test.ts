import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { browser, inBrowser, together } from './browser.ts'
import { eventually } from './eventually.ts'
import { away, Stage } from './stage.ts'
import { authorizationOf } from './users.ts'

const actions = ['Drain', 'Put in maintenance', 'Set weight', 'Open circuit', 'Probe now', 'Remove']

describe('who may do what', together, () => {
  test('a viewer sees what happens, may ask why, and may not act', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const { page, table } = await (await stage.visit({ user: 'viewer' })).live()
    await page.getByText('Read-only: you are not allowed to make changes').waitFor()
    await stage.backend('beta').die()
    await table.until('beta', 'State', /^unhealthy/)
    await page.getByRole('form', { name: 'Explain' }).getByRole('button', { name: 'Explain' }).click()
    await page.getByRole('region', { name: 'Explanation' }).getByText('Picked:').waitFor()

    await table.button('alpha').click()
    const items = table.menu.getByRole('menuitem')
    assert.deepEqual(await items.allInnerTexts(), actions)
    for (const item of await items.all()) {
      assert.equal(await item.isDisabled(), true)
      await item.click({ force: true })
      assert.equal(await page.getByRole('dialog').count(), 0)
    }
    assert.equal(stage.balancer.backend('alpha').state, 'ready')
  })

  test('the server refuses what a viewer does behind the back of the page', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const path = '/_balancer/balancers/default/backends/alpha'
    const send = async (method: string, url: string, sent?: object) => {
      const headers = { authorization: authorizationOf('viewer'), 'content-type': 'application/json' }
      const body = sent === undefined ? undefined : JSON.stringify(sent)
      return (await ask(`${stage.origin}${url}`, { method, headers, ...(body !== undefined && { body }) })).status
    }
    const statuses = [
      await send('PUT', `${path}/state`, { state: 'drain' }),
      await send('PATCH', path, { weight: 9 }),
      await send('PUT', `${path}/circuit`, { state: 'open' }),
      await send('POST', `${path}/probe`, {}),
      await send('DELETE', path),
    ]
    assert.deepEqual(statuses, [403, 403, 403, 403, 403])
    assert.equal(stage.balancer.backend('alpha').state, 'ready')
    assert.equal(stage.balancer.backend('alpha').weight, 1)
  })

  test('an operator may act, and is not told otherwise', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const visit = await (await stage.visit()).live()
    await visit.operated()
    const { page, table } = visit
    await table.button('alpha').click()
    const items = table.menu.getByRole('menuitem')
    assert.deepEqual(await items.allInnerTexts(), actions)
    for (const item of await items.all()) assert.equal(await item.isEnabled(), true)
    assert.equal(await page.getByText('Read-only').count(), 0)
  })

  test('an operator stays one when the question is not answered once, at first or later', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const visit = await stage.visit({ allowed: [/^console: .* (429|500) /, ...away] })
    const { page, table } = await visit.live()
    const answers: number[] = []
    const failing = async (status: number | undefined) => {
      await page.route(
        '**/_balancer/operator',
        async (route) => {
          answers.push(status ?? 0)
          if (status === undefined) return route.abort()
          return route.fulfill({ status, json: { statusCode: status, error: 'Error', message: 'not now' } })
        },
        { times: 1 },
      )
    }
    const isAsked = (times: number) =>
      eventually(
        'it has been asked',
        () => answers.length,
        (asked) => asked === times,
      )
    const canAct = async (id: string) => {
      await (await table.choose('Drain', id)).locator('[type=submit]').click()
      await table.until(id, 'State', /^draining/)
      assert.equal(await page.getByText('Read-only').count(), 0)
    }
    await failing(429)
    await page.reload()
    await visit.live()
    await isAsked(1)
    // Asked again with the lists.
    await visit.operated()
    await canAct('alpha')
    for (const [turn, [status, id]] of (
      [
        [500, 'beta'],
        [undefined, 'gamma'],
      ] as const
    ).entries()) {
      await failing(status)
      stage.cut()
      await isAsked(turn + 2)
      await visit.connection('Live')
      await canAct(id)
    }
  })

  test('who has not signed in gets nothing of the page', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const context = await (await browser()).newContext()
    t.after(() => context.close())
    const page = await context.newPage()
    const statuses: number[] = []
    page.on('response', (response) => statuses.push(response.status()))
    // A browser without a window cannot ask for a name and a password.
    await assert.rejects(page.goto(`${stage.origin}/_balancer/dashboard/`), /ERR_INVALID_AUTH_CREDENTIALS/)
    for (const path of ['', '/', '/index.html', '/settings.json', '/assets/', '/nothing']) {
      const answer = await page.request.get(`${stage.origin}/_balancer/dashboard${path}`)
      assert.equal(answer.status(), 401, path)
    }
    assert.ok(
      statuses.every((status) => status === 401),
      String(statuses),
    )
  })

  test('who is signed out while the page is open is told', inBrowser, async (t) => {
    const stage = await Stage.start(t)
    const visit = await stage.visit({ allowed: [/^console: .* 401 /, ...away] })
    const { page } = await visit.live()
    await page.route('**/_balancer/*', (route) =>
      route.fulfill({ status: 401, json: { statusCode: 401, error: 'Unauthorized', message: 'Sign in' } }),
    )
    stage.cut()
    await page.getByRole('alert').filter({ hasText: 'signed out' }).waitFor()
  })
})
