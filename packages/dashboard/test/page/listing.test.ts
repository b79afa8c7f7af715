import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columns, nextSorting, type Sorting } from '../../page/backends/columns.ts'
import { arranged, countsOf, held } from '../../page/listing/arranged.ts'
import { addressOf, arrangementOf } from '../../page/listing/arrangement.ts'
import { withFigures } from '../../page/live/traffic.ts'
import { addressOf as addressIn, hashOf } from '../../page/use-address.ts'
import type { BackendView } from '../../page/api/views.ts'
import { backendFigures, backendView, figures } from './told.ts'

const backends: readonly BackendView[] = [
  backendView('b10', { weight: 2, zone: 'eu-west-1a', tags: ['canary'] }),
  backendView('b2', { weight: 3, available: false }),
  backendView('b1', { weight: 2, state: 'drain', available: false, tags: ['Canary', 'v2'] }),
  backendView('b3', { url: 'http://10.0.0.3:8080', state: 'maintenance', available: false }),
]
const traffic = withFigures(
  new Map(),
  figures(0, {
    backends: [backendFigures('b10', 30, 5), backendFigures('b2', 10, null), backendFigures('b1', 20, 90)],
  }),
)

const all = { sorting: undefined, state: undefined, search: '' }
const ids = (list: readonly BackendView[]) => list.map(({ id }) => id).join(' ')
const by = (key: string, isDescending: boolean) =>
  ids(arranged(backends, { ...all, sorting: { key, isDescending } }, traffic))

test('without a column, the order is that of the list', () => {
  assert.equal(ids(arranged(backends, all, traffic)), 'b10 b2 b1 b3')
})

test('every column sorts both ways; equal ones stay in the order of the list; no value comes last', () => {
  assert.equal(by('backend', false), 'b1 b2 b3 b10')
  assert.equal(by('backend', true), 'b10 b3 b2 b1')
  assert.equal(by('weight', true), 'b2 b10 b1 b3')
  assert.equal(by('weight', false), 'b3 b10 b1 b2')
  assert.equal(by('state', true), 'b2 b1 b3 b10')
  assert.equal(by('share', true), 'b10 b1 b2 b3')
  assert.equal(by('rate', false), 'b3 b2 b1 b10')
  assert.equal(by('p95', true), 'b1 b10 b2 b3')
  assert.equal(by('p95', false), 'b10 b1 b2 b3')
  assert.equal(by('in-flight', false), 'b3 b10 b2 b1')
  assert.equal(by('nothing', true), 'b10 b2 b1 b3')
})

test('a heading sorts one way, the other way, and no more', () => {
  const turns = (key: string) => {
    const column = columns.find((one) => one.key === key)!
    const first = nextSorting({ key: 'other', isDescending: true }, column)
    const second = nextSorting(first, column)
    return [first?.isDescending, second?.isDescending, nextSorting(second, column)]
  }
  assert.deepEqual(turns('rate'), [true, false, undefined])
  assert.deepEqual(turns('backend'), [false, true, undefined])
})

test('a search finds ids, URLs, zones and tags, whatever their case; every word must be found', () => {
  const search = (words: string) => ids(arranged(backends, { ...all, search: words }, traffic))
  assert.equal(search('CANARY'), 'b10 b1')
  assert.equal(search(' canary  v2 '), 'b1')
  assert.equal(search('eu-west'), 'b10')
  assert.equal(search('10.0.0.3:80'), 'b3')
  assert.equal(search('b1'), 'b10 b1')
  assert.equal(search('canary maintenance'), '')
})

test('a filter leaves the backends of one state, and each state is counted', () => {
  const filter = (state: 'healthy' | 'unhealthy' | 'draining') => ids(arranged(backends, { ...all, state }, traffic))
  assert.deepEqual([filter('healthy'), filter('unhealthy'), filter('draining')], ['b10', 'b2', 'b1'])
  assert.deepEqual(countsOf(backends), { unhealthy: 1, draining: 1, maintenance: 1, healthy: 1 })
})

test('while a row is pointed at, none moves; removed ones go, new ones come at the end', () => {
  const wanted = [backendView('new'), backends[2]!, backends[0]!]
  assert.equal(ids(held(['b10', 'gone', 'b2', 'b1'], wanted, [...backends, wanted[0]!])), 'b10 b2 b1 new')
})

test('what is shown is in the address, and read from it; what it does not know is left out', () => {
  const read = (hash: string) => arrangementOf(addressIn(hash))
  const arrangement = {
    sorting: { key: 'in-flight', isDescending: true } satisfies Sorting,
    state: 'unhealthy' as const,
    search: 'eu west & more',
  }
  const hash = hashOf({ balancer: 'a/b c', ...addressOf(arrangement) })
  assert.equal(hash, '#balancer=a%2Fb+c&search=eu+west+%26+more&sort=-in-flight&state=unhealthy')
  assert.deepEqual(read(hash), arrangement)
  assert.equal(addressIn(hash)['balancer'], 'a/b c')
  assert.equal(hashOf(addressOf(all)), '')
  assert.deepEqual(read('#sort=actions&state=constructor&else=1'), all)
  assert.deepEqual(read('#sort=backend').sorting, { key: 'backend', isDescending: false })
})

test('a thousand backends are sorted, filtered and searched', () => {
  const many = Array.from({ length: 1000 }, (_, index) =>
    backendView(`b${index}`, { zone: `zone-${index % 7}`, available: index % 10 !== 0 }),
  )
  const arrangement = {
    sorting: { key: 'backend', isDescending: true },
    state: 'unhealthy' as const,
    search: 'zone-3',
  }
  const shown = arranged(many, arrangement, new Map())
  assert.equal(shown.length, many.filter((_, index) => index % 7 === 3 && index % 10 === 0).length)
  assert.equal(shown[0]!.id, 'b990')
})
