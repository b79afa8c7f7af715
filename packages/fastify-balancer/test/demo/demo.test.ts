import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { invitation, startDemo } from '../../src/demo/demo.ts'

test('a demo backend that was stopped comes back', { timeout: 30_000 }, async (t) => {
  const demo = await startDemo(500)
  t.after(() => demo.close())
  const { id, url } = demo.backends[0]!
  assert.equal((await ask(`${url}/stop`, { method: 'POST' })).body, `${id} stops for 0.5 s\n`)

  let absences = 0
  while ((await ask(url)).headers['x-backend'] !== id) absences++
  assert.ok(absences > 0)
})

test('the lines to try name the address as curl takes it', () => {
  assert.match(invitation('http://10.0.0.1:80', 1), /curl "10\.0\.0\.1\/\[1-6\]"/)
  for (const host of ['127.0.0.1', 'localhost', '[::1]'])
    assert.match(invitation(`http://${host}:8080`, 1), /^Look {2}http:\/\/[\w.]+:8080\/_balancer\/ /m)
  // Nobody could open it there.
  assert.doesNotMatch(invitation('http://10.0.0.1:80', 1), /dashboard/)
  assert.match(invitation('http://[::1]:8080', 1), /curl "localhost:8080\/\[1-6\]"/)
  assert.equal(invitation('http://127.0.0.1:8080', 1).trimEnd().split('\n').length, 3)
})
