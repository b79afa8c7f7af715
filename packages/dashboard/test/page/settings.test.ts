import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foundSettings, inForce, settingsOf } from '../../page/configuration/settings.ts'

const options = {
  policy: 'p2c',
  pool: { connections: 1024, tls: {} },
  retry: { methods: ['GET', 'HEAD'], budget: { ratio: 0.2 } },
  backends: [{ id: 'a', tags: [] }, 'http://b'],
  upgrade: false,
  sticky: null,
}

test('every option has its path; lists of plain values are one line', () => {
  assert.deepEqual(
    settingsOf(options).map(({ path, value }) => `${path} = ${value}`),
    [
      'policy = p2c',
      'pool.connections = 1024',
      'pool.tls = {}',
      'retry.methods = ["GET","HEAD"]',
      'retry.budget.ratio = 0.2',
      'backends[0].id = a',
      'backends[0].tags = []',
      'backends[1] = http://b',
      'upgrade = false',
      'sticky = null',
    ],
  )
})

test('options of extensions stand beside those of the balancer', () => {
  const view = { options: { host: 'preserve' }, extensions: { 'health-check': { rise: 2 } }, backends: [{ id: 'a' }] }
  assert.deepEqual(
    settingsOf(inForce(view)).map(({ path, value }) => `${path} = ${value}`),
    ['host = preserve', 'health-check.rise = 2', 'backends[0].id = a'],
  )
})

test('options are found by path and value; every word must be found', () => {
  const found = (search: string) => foundSettings(settingsOf(options), search).map(({ path }) => path)
  assert.deepEqual(found('RETRY'), ['retry.methods', 'retry.budget.ratio'])
  assert.deepEqual(found('retry head'), ['retry.methods'])
  assert.equal(found('').length, 10)
})
