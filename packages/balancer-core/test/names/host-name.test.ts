import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addressOf, type Address } from '../../src/names/addresses/address.ts'
import type { Finding } from '../../src/names/finding.ts'
import { HostNames } from '../../src/names/host-names.ts'
import type { Tell, Wanted } from '../../src/names/name-search.ts'
import type { Sources } from '../../src/names/name-sources.ts'
import { ManualClock } from '../../../../test/support/clock.ts'

/** Sources that answer when the test says so. */
class TestSources implements Sources {
  readonly wanted: Wanted[] = []
  #tell: Tell | undefined
  stopped = 0

  find(wanted: Wanted, tell: Tell): () => void {
    this.wanted.push(wanted)
    this.#tell = tell
    return () => void this.stopped++
  }

  close(): void {}

  /** Answers the question that was asked last. */
  tell(finding: Partial<Finding>, isLast = true): void {
    this.#tell!({ addresses: [], unanswered: [], passedOver: false, ...finding }, isLast)
  }

  answer(addresses: readonly string[], ttl = 10_000): void {
    this.tell({ addresses: addresses.map((text) => addressOf(text)!), ttl })
  }
}

const noName = {}
const noAnswer = { unanswered: [4, 6] } as const

function start({ chance = 0 } = {}) {
  const [clock, sources] = [new ManualClock(), new TestSources()]
  const names = new HostNames(clock, () => chance, sources)
  const { host } = names.whereaboutsOf('http://a.example:3000')
  names.keepOnly([{ hostname: 'a.example' }])
  const asked: string[] = []
  let turn = 0
  /** What a new connection would be told, as text. */
  const look = () =>
    host!.resolve(turn++, (error, addresses: readonly Address[]) =>
      asked.push(error === null ? addresses.map(({ address }) => address).join(' ') : error.message),
    )
  return {
    clock,
    sources,
    names,
    host: host!,
    look,
    /** What was told since it was last asked. */
    told: () => asked.splice(0),
    /** How many questions so far. */
    get questions() {
      return sources.wanted.length
    },
  }
}

describe('the first look-up', () => {
  test('nobody asks before an address is needed, and then once for all who wait', () => {
    const it = start()
    it.clock.advance(60_000)
    assert.equal(it.questions, 0)
    it.look()
    it.look()
    assert.deepEqual([it.questions, it.told()], [1, []])
    it.sources.answer(['10.0.0.1', '10.0.0.2'])
    assert.deepEqual(it.told(), ['10.0.0.1 10.0.0.2', '10.0.0.2 10.0.0.1'])
    it.look()
    assert.deepEqual([it.questions, it.told()], [1, ['10.0.0.1 10.0.0.2']])
  })

  test('what comes first is used; the whole answer replaces it', () => {
    const it = start()
    it.look()
    it.sources.tell({ addresses: [addressOf('10.0.0.1')!], ttl: 5000, unanswered: [6] }, false)
    assert.deepEqual(it.told(), ['10.0.0.1'])
    it.sources.answer(['10.0.0.1', '::1'])
    it.look()
    assert.deepEqual(it.told(), ['::1 10.0.0.1'])
  })

  test('a failure is told to all for a second, then it is asked again by itself, each time twice as late up to 5 s', () => {
    const it = start()
    it.look()
    it.sources.tell(noName)
    it.look()
    assert.deepEqual(it.told(), ['getaddrinfo ENOTFOUND a.example', 'getaddrinfo ENOTFOUND a.example'])
    for (const pause of [1000, 2000, 4000, 5000, 5000]) {
      it.clock.advance(pause - 1)
      const before = it.questions
      it.clock.advance(1)
      assert.equal(it.questions, before + 1, `after ${pause} ms`)
      // While it is asked for again, nobody waits for that.
      it.look()
      assert.equal(it.told().length, 1)
      it.sources.tell(noAnswer)
    }
    it.look()
    assert.deepEqual(it.told(), ['getaddrinfo EAI_AGAIN a.example'])
    it.clock.advance(5000)
    it.sources.answer(['10.0.0.1'])
    it.look()
    assert.deepEqual(it.told(), ['10.0.0.1'])
  })
})

describe('refreshing', () => {
  for (const [ttl, chance, delay] of [
    [10_000, 0, 8000],
    [10_000, 0.5, 8500],
    [0, 0, 800],
    [86_400_000, 0, 48_000],
  ] as const) {
    test(`a TTL of ${ttl} ms is refreshed after ${delay} ms by chance ${chance}`, () => {
      const it = start({ chance })
      it.look()
      it.sources.answer(['10.0.0.1'], ttl)
      it.clock.advance(delay - 1)
      assert.equal(it.questions, 1)
      it.clock.advance(1)
      assert.equal(it.questions, 2)
    })
  }

  test('what has no TTL is refreshed as if it had 5 s', () => {
    const it = start()
    it.look()
    it.sources.tell({ addresses: [addressOf('10.0.0.1')!] })
    it.clock.advance(3999)
    assert.equal(it.questions, 1)
    it.clock.advance(1)
    assert.equal(it.questions, 2)
  })

  test('a failure takes nothing away, however long it lasts', () => {
    const it = start()
    it.look()
    it.sources.answer(['10.0.0.1'])
    for (let count = 0; count < 100; count++) {
      it.clock.advance(10_000)
      it.sources.tell(noAnswer)
    }
    it.told()
    it.look()
    assert.deepEqual(it.told(), ['10.0.0.1'])
    it.clock.advance(10_000)
    it.sources.answer(['10.0.0.2'])
    it.look()
    assert.deepEqual(it.told(), ['10.0.0.2'])
  })

  test('a name that does not exist any more is believed after half a minute', () => {
    const it = start()
    it.look()
    it.sources.answer(['10.0.0.1'])
    it.clock.advance(8000)
    for (let passed = 0; passed < 30_000; passed += 5000) {
      it.sources.tell(noName)
      it.look()
      it.clock.advance(5000)
    }
    assert.deepEqual(new Set(it.told()), new Set(['10.0.0.1']))
    it.sources.tell(noName)
    it.look()
    assert.deepEqual(it.told(), ['getaddrinfo ENOTFOUND a.example'])
  })

  test('what of it nobody answers for stays: the other family, or a name that comes first', () => {
    const it = start()
    it.look()
    it.sources.tell({ addresses: [addressOf('10.0.0.1')!, addressOf('::1')!], fullName: 'a.example.one', ttl: 10_000 })
    it.clock.advance(8000)
    it.sources.tell({ addresses: [addressOf('10.0.0.2')!], unanswered: [6], fullName: 'a.example.one', ttl: 10_000 })
    it.told()
    it.look()
    assert.deepEqual(it.told().join().split(' ').toSorted(), ['10.0.0.2', '::1'])
    it.clock.advance(8000)
    it.sources.tell({ addresses: [addressOf('10.9.9.9')!], passedOver: true, fullName: 'a.example.two', ttl: 10_000 })
    it.look()
    assert.deepEqual(it.told().join().split(' ').toSorted(), ['10.0.0.2', '::1'])
  })

  test('a name that no backend of the set has any more is not refreshed, but still found', () => {
    const it = start()
    it.look()
    it.sources.answer(['10.0.0.1'])
    it.names.keepOnly([])
    assert.equal(it.clock.pending, 0)
    it.clock.advance(60_000)
    assert.equal(it.questions, 1)
    it.told()
    it.look()
    assert.deepEqual([it.told(), it.questions], [['10.0.0.1'], 2])
    it.sources.answer(['10.0.0.2'])
    assert.equal(it.clock.pending, 0)
  })

  test('closed, it has no timer, ends its question, and nobody waits', () => {
    const it = start()
    it.look()
    it.names.close()
    assert.deepEqual([it.clock.pending, it.sources.stopped], [0, 1])
    assert.deepEqual(it.told(), ['getaddrinfo ECANCELED a.example'])
    it.sources.answer(['10.0.0.1'])
    it.look()
    assert.deepEqual([it.clock.pending, it.told()], [0, ['getaddrinfo ECANCELED a.example']])
  })
})

describe('which address comes first', () => {
  test('each in turn, and one that could not be reached last, for ten seconds', () => {
    const it = start()
    it.look()
    it.sources.answer(['10.0.0.1', '10.0.0.2', '10.0.0.3'], 60_000)
    it.told()
    it.host.failed('10.0.0.2')
    for (let count = 0; count < 2; count++) it.look()
    assert.deepEqual(it.told().toSorted(), ['10.0.0.1 10.0.0.3 10.0.0.2', '10.0.0.3 10.0.0.1 10.0.0.2'])
    it.clock.advance(10_000)
    for (let count = 0; count < 3; count++) it.look()
    assert.deepEqual(
      new Set(it.told().map((told) => told.split(' ')[0])),
      new Set(['10.0.0.1', '10.0.0.2', '10.0.0.3']),
    )
  })

  test('the order of an answer does not disturb the round', () => {
    const it = start()
    it.look()
    it.sources.answer(['10.0.0.1', '10.0.0.2'])
    it.clock.advance(8000)
    it.sources.answer(['10.0.0.2', '10.0.0.1'])
    it.look()
    assert.deepEqual(it.told(), ['10.0.0.1 10.0.0.2', '10.0.0.2 10.0.0.1'])
  })

  test('where no address can be reached, it is asked whether there are others', () => {
    const it = start()
    it.look()
    it.sources.answer(['10.0.0.1', '10.0.0.2'])
    it.clock.advance(1000)
    it.host.failed('10.0.0.1')
    assert.equal(it.questions, 1)
    it.host.failed('10.0.0.2')
    assert.equal(it.questions, 2)
    it.sources.answer(['10.0.0.1', '10.0.0.2'])
    // Not with every connection.
    it.host.failed('10.0.0.1')
    assert.equal(it.questions, 2)
  })
})

describe('connections', () => {
  test('are retired when two answers in a row have not named their address; the second comes soon', () => {
    const it = start()
    const retired: string[] = []
    it.look()
    it.sources.answer(['10.0.0.1', '10.0.0.2'])
    const forget = it.host.follow('10.0.0.1', () => retired.push('closed before'))
    it.host.follow('10.0.0.1', () => retired.push('10.0.0.1'))
    it.host.follow('10.0.0.2', () => retired.push('10.0.0.2'))
    forget()
    it.clock.advance(8000)
    it.sources.answer(['10.0.0.2', '10.0.0.3'])
    it.told()
    it.look()
    assert.deepEqual([it.told().join().includes('10.0.0.1'), retired], [false, []])
    it.clock.advance(999)
    assert.equal(it.questions, 2)
    it.clock.advance(1)
    assert.equal(it.questions, 3)
    it.sources.answer(['10.0.0.2', '10.0.0.3'])
    assert.deepEqual(retired, ['10.0.0.1'])
    it.host.follow('10.0.0.1', () => retired.push('late'))
    assert.deepEqual(retired, ['10.0.0.1', 'late'])
  })

  test('are kept through one incomplete answer', () => {
    const it = start()
    it.look()
    it.sources.answer(['10.0.0.1', '10.0.0.2'])
    it.host.follow('10.0.0.1', () => assert.fail('retired'))
    it.clock.advance(8000)
    it.sources.answer(['10.0.0.2'])
    it.clock.advance(1000)
    it.sources.answer(['10.0.0.1', '10.0.0.2'])
    assert.equal(it.host.isCurrent('10.0.0.1'), true)
  })
})
