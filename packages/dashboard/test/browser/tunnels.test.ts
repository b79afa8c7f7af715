import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rawClient } from '../../../../test/support/raw.ts'
import { handshake, startUpgradeBackend, switching } from '../../../../test/support/upgrade-backend.ts'
import { assertAccessible } from './axe.ts'
import { inBrowser } from './browser.ts'
import { Stage } from './stage.ts'

test('tunnels are counted, listed while there are any, and closed by click', inBrowser, async (t) => {
  const backend = await startUpgradeBackend(t, (head, { socket }) => {
    socket.on('end', () => socket.end())
    return head.startsWith('HEAD') ? 'HTTP/1.1 204 No Content\r\n\r\n' : `${switching(head)}\r\n`
  })
  const stage = await Stage.start(t, { ids: ['alpha'] })
  await stage.balancer.add({ id: 'chat', url: backend.url })
  await stage.balancer.drain('alpha')
  const { page, table } = await (await stage.visit({ still: true })).live()
  const section = page.getByRole('region', { name: 'Tunnels' })
  assert.equal(await section.count(), 0)

  const port = Number(new URL(stage.origin).port)
  const clients = [await rawClient(t, port), await rawClient(t, port)]
  for (const client of clients) client.send(handshake('/room'))
  for (const client of clients) await client.until(/ 101 /)
  await table.until('chat', 'In flight', /^0 of [\d,]+\s*2 tunnels$/)
  await section.getByText('2 tunnels open').waitFor()
  const rows = section.locator('tbody tr')
  assert.match(
    (await rows.first().innerText()).replaceAll(/\s+/g, ' '),
    /^1 websocket 127\.0\.0\.1 \/room chat \d+ s 0 B 0 B Close$/,
  )
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 900 })
    await assertAccessible(page, `tunnels, ${width} px wide`)
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
  }

  await section.getByRole('button', { name: 'Close tunnel 1' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('127.0.0.1 is disconnected from chat').waitFor()
  await dialog.locator('[type=submit]').click()
  await page.getByRole('status', { name: 'Outcome' }).filter({ hasText: 'Tunnel 1 is closed.' }).waitFor()
  assert.ok((await clients[0]!.closed()).endsWith('\x88\x02\x03\xe9'))
  await section.getByText('1 tunnel open').waitFor()
  await page
    .getByRole('log', { name: 'Events' })
    .getByText('closed tunnel 1 (websocket, client 127.0.0.1) of chat')
    .waitFor()
  clients[1]!.socket.destroy()
  await section.waitFor({ state: 'detached' })
})
