import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../page/api/api-error.ts'
import { Confirmation } from '../../page/orders/confirmation.ts'
import { differenceOf, previewed } from '../../page/orders/difference.ts'
import { refusalOf } from '../../page/orders/refusal.ts'
import { backendView } from './told.ts'

const before = { revision: 3, backends: [backendView('a'), backendView('b'), backendView('c')] }
const now = {
  revision: 5,
  backends: [backendView('a', { weight: 4, zone: 'eu' }), backendView('c'), backendView('d')],
}

test('what is entered is read as text, number and time, and empty fields are none', () => {
  const entered = new Confirmation({ reason: '  slow ', weight: '7', deadline: '2.5', empty: ' ', close: 'on' })
  assert.equal(entered.text('reason'), 'slow')
  assert.equal(entered.number('weight'), 7)
  assert.equal(entered.milliseconds('deadline'), 2500)
  for (const name of ['empty', 'nothing']) {
    assert.equal(entered.text(name), undefined)
    assert.equal(entered.number(name), undefined)
    assert.equal(entered.milliseconds(name), undefined)
  }
  assert.deepEqual([entered.isChosen('close'), entered.isChosen('nothing')], [true, false])
})

test('the difference of two lists, backend by backend and setting by setting', () => {
  assert.deepEqual(differenceOf(before, now), {
    added: ['d'],
    removed: ['b'],
    changed: ['a: weight 1 → 4; zone none → eu'],
  })
  const tagged = { ...before, backends: [backendView('a', { tags: ['canary', 'v2'] }), ...before.backends.slice(1)] }
  assert.deepEqual(differenceOf(before, tagged).changed, ['a: tags none → canary, v2'])
  const [from, to] = [backendView('a'), backendView('a', { priority: 2 })]
  assert.deepEqual(previewed({ added: ['x'], removed: [], changed: [{ id: 'a', from, to }], faults: [] }), {
    added: ['x'],
    removed: [],
    changed: ['a: priority 0 → 2'],
  })
})

test('a refusal names every fault, once', () => {
  const refused = (status: number, message: string, faults: readonly string[] = []) =>
    refusalOf('Add backend', new ApiError(status, { message, faults }), before)
  assert.deepEqual(refused(400, 'url: bad; weight: bad', ['url: bad', 'weight: bad']), {
    text: 'Add backend failed, for 2 reasons:',
    faults: ['url: bad', 'weight: bad'],
    isOpen: true,
    isDangerous: false,
  })
  assert.equal(refused(400, 'bad request: url: bad', ['url: bad']).text, 'Add backend failed: url: bad.')
  assert.equal(refused(409, 'no backend would be usable.').text, 'Add backend failed: no backend would be usable.')
  assert.equal(refused(409, 'x').isDangerous, true)
  assert.deepEqual(
    [0, 400, 401, 403, 404, 409, 500].map((status) => refused(status, 'x').isOpen),
    [true, true, false, false, false, true, true],
  )
  assert.equal(refusalOf('Drain a', new Error('oh'), undefined).text, 'Drain a failed: Error: oh.')
})

test('a conflict says what somebody else has changed meanwhile', () => {
  const { text, meanwhile, current, isOpen } = refusalOf(
    'Set weight of a',
    new ApiError(412, { message: 'stale', current: now }),
    before,
  )
  assert.equal(text, 'Set weight of a failed: the list was changed meanwhile (revision 3 → 5). Nothing was done.')
  assert.deepEqual(meanwhile, differenceOf(before, now))
  assert.equal(current, now)
  assert.equal(isOpen, true)
})
