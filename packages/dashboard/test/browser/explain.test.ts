import type { Policy } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { inBrowser, together } from './browser.ts'
import { Stage } from './stage.ts'

const first: Policy = {
  name: 'first',
  over: ([one]) => ({
    pick: () => one,
    peek: () => one,
    details: ({ id }) => ({ slot: id === 'alpha' ? 7 : 8 }),
    basis: () => ({ userKey: null }),
  }),
}

describe('the explanation of a request', together, () => {
  test('the form says who would be picked, and why not the others; it sends nothing', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta', 'gamma'] })
    const { page, table } = await (await stage.visit()).live()
    await stage.balancer.drain('alpha')
    await table.until('alpha', 'State', /^draining/)
    const form = page.getByRole('form', { name: 'Explain' })
    await form.getByLabel('Method').fill('POST')
    await form.getByLabel('Path').fill('/orders?id=1')
    await form.getByLabel('Headers').fill('accept: text/html\nx-canary: yes')
    const asked = page.waitForRequest('**/explain')
    await form.getByRole('button', { name: 'Explain' }).click()
    assert.deepEqual(JSON.parse((await asked).postData()!), {
      method: 'POST',
      url: '/orders?id=1',
      headers: { accept: 'text/html', 'x-canary': 'yes' },
    })
    const answer = page.getByRole('region', { name: 'Explanation' })
    await answer.waitFor()
    assert.match(await answer.innerText(), /Policy round-robin/)
    const picked = /Picked: (\w+)/.exec(await answer.innerText())?.[1]
    assert.ok(picked === 'beta' || picked === 'gamma', String(picked))
    const drained = answer.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'alpha' }) })
    assert.match(await drained.innerText(), /drain/)
    assert.deepEqual(
      stage.backends.map(({ asked: count }) => count),
      [0, 0, 0],
    )
    assert.equal((await ask(stage.origin)).body, picked)

    await form.getByLabel('Client address').fill('192.0.2.7')
    const askedAgain = page.waitForRequest('**/explain')
    await form.getByRole('button', { name: 'Explain' }).click()
    assert.equal(JSON.parse((await askedAgain).postData()!).address, '192.0.2.7')

    for (const id of ['beta', 'gamma']) await stage.balancer.drain(id)
    await form.getByRole('button', { name: 'Explain' }).click()
    await answer.getByText('No backend would be picked').waitFor()
  })

  test('what the policy knows of each backend is shown beside its score', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha', 'beta'], balancer: { policy: first } })
    const { page } = await (await stage.visit()).live()
    await page.getByRole('form', { name: 'Explain' }).getByRole('button', { name: 'Explain' }).click()
    const answer = page.getByRole('region', { name: 'Explanation' })
    await answer.getByText('Policy first. user key: none').waitFor()
    const row = answer.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'alpha' }) })
    assert.match(await row.innerText(), /slot: 7/)
  })

  test('the form names what is wrong with a request, and takes the next one', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha'] })
    const { page } = await (await stage.visit({ allowed: [/^console: .* 400 /] })).live()
    const form = page.getByRole('form', { name: 'Explain' })
    const submit = form.getByRole('button', { name: 'Explain' })
    const alert = page.getByRole('alert')
    await form.getByLabel('Headers').fill('no colon here')
    await submit.click()
    await alert.filter({ hasText: /headers/i }).waitFor()
    await form.getByLabel('Headers').fill('')
    await form.getByLabel('Method').fill('M'.repeat(65))
    await submit.click()
    await alert.filter({ hasText: /method/i }).waitFor()
    await form.getByLabel('Method').fill('GET')
    await submit.click()
    await page.getByRole('region', { name: 'Explanation' }).getByText('Picked: alpha').waitFor()
    await alert.waitFor({ state: 'detached' })
  })
})
