import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../../test/support/until.ts'
import { shedUnderPressure } from '../../fastify-balancer/src/plugin/under-pressure.ts'
import { stage } from './stage.ts'

const index = readFileSync(join(import.meta.dirname, '..', 'dist', 'page', 'index.html'), 'utf8')
const script = /assets\/[\w.-]+\.js/.exec(index)![0]

test('an overloaded process sheds what it forwards, and not the page, which is guarded as ever', async (t) => {
  const { app, origin } = await stage(t, {
    before: (one) => shedUnderPressure(one, { maxHeapUsedBytes: 1, sampleInterval: 10 }),
    dashboard: {
      path: '/ops',
      onRequest: async ({ headers }) => {
        if (headers.authorization !== 'Bearer word') throw Object.assign(new Error('no'), { statusCode: 401 })
      },
    },
  })
  await until('it was measured', () => app.isUnderPressure())
  assert.equal((await fetch(`${origin}/`)).status, 503)
  for (const [path, expected] of [
    ['', 302],
    ['/', 200],
    [`/${script}`, 200],
    ['/settings.json', 200],
    ['/nothing', 404],
  ] as const)
    for (const method of ['GET', 'HEAD']) {
      const status = async (headers: Readonly<Record<string, string>>) =>
        (await fetch(`${origin}/ops${path}`, { method, headers, redirect: 'manual' })).status
      assert.equal(await status({ authorization: 'Bearer word' }), expected, `${method} ${path}`)
      assert.equal(await status({}), 401, `${method} ${path}`)
    }
})
