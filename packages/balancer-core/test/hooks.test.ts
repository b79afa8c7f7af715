import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import type { Pool } from 'undici'
import type { Attempt } from '../src/attempt/attempt.ts'
import { Backend } from '../src/backends/backend.ts'
import { backendSet } from '../src/backends/backend-set.ts'
import { Balancer } from '../src/balancer.ts'
import type { Verdict } from '../src/backends/list/proposal.ts'
import { Hooks } from '../src/hooks.ts'

const attempt = {} as Attempt
const backend = new Backend('a', 'http://a.test', { weight: 1, priority: 0, maxInFlight: 1, tags: [] }, {} as Pool)
const set = backendSet([backend], 1, 0)

function hooked() {
  const reports: string[] = []
  const hooks = new Hooks((error, hook) => void reports.push(`${hook}: ${(error as Error).message}`))
  return { hooks, reports }
}

function broken(): never {
  throw new Error('the hook is broken')
}

describe('adding', () => {
  test('is refused for a name that is no hook', () => {
    const { hooks } = hooked()
    for (const name of [
      'onpick',
      'onSend',
      '',
      'add',
      'tell',
      'admits',
      'constructor',
      'hasOwnProperty',
      '__proto__',
    ]) {
      assert.throws(() => hooks.add(name as 'onPick', () => {}), {
        name: 'TypeError',
        message: `There is no hook '${name}'`,
      })
    }
  })

  test('is refused for what is no function', () => {
    const { hooks } = hooked()
    for (const hook of [undefined, null, 5, 'x', {}]) {
      assert.throws(() => hooks.add('onPick', hook as () => void), {
        name: 'TypeError',
        message: "The hook 'onPick' must be a function",
      })
    }
    assert.equal(hooks.onPick.length, 0)
  })

  test('is refused by the balancer as well, which otherwise answers itself', (t) => {
    const balancer = new Balancer()
    t.after(() => balancer.close())
    assert.throws(() => balancer.addHook('onSend' as 'onPick', () => {}), TypeError)
    assert.equal(
      balancer.addHook('onPick', () => {}),
      balancer,
    )
  })

  test('leaves each hook to its own name', () => {
    const { hooks } = hooked()
    const names = [
      'onPick',
      'onAttemptStart',
      'onAttemptResponse',
      'onResponse',
      'onAttemptEnd',
      'onBackendsChange',
      'onBackendsPropose',
    ] as const
    for (const name of names) hooks.add(name, () => {})
    for (const name of names) assert.equal(hooks[name].length, 1, name)
  })
})

describe('onPick', () => {
  test('without any, all is admitted', () => {
    assert.equal(hooked().hooks.admits(attempt), true)
  })

  test('only false is an objection', () => {
    for (const answer of [undefined, true, null, 0, '', {}]) {
      const { hooks } = hooked()
      hooks.add('onPick', () => answer as boolean)
      assert.equal(hooks.admits(attempt), true, JSON.stringify(answer))
    }
    const { hooks } = hooked()
    hooks.add('onPick', () => false)
    assert.equal(hooks.admits(attempt), false)
  })

  test('is asked in order, until one objects', () => {
    const { hooks } = hooked()
    const asked: [string, Attempt][] = []
    hooks.add('onPick', (given) => void asked.push(['one', given]))
    hooks.add('onPick', (given) => asked.push(['two', given]) < 0)
    hooks.add('onPick', (given) => void asked.push(['three', given]))
    assert.equal(hooks.admits(attempt), false)
    assert.deepEqual(asked, [
      ['one', attempt],
      ['two', attempt],
    ])
  })

  test('one that throws is reported by name, has no objection, and keeps no other from being asked', () => {
    const { hooks, reports } = hooked()
    hooks.add('onPick', broken)
    assert.equal(hooks.admits(attempt), true)
    hooks.add('onPick', () => false)
    assert.equal(hooks.admits(attempt), false)
    assert.deepEqual(reports, ['onPick broken: the hook is broken', 'onPick broken: the hook is broken'])
  })
})

describe('the hooks of an attempt', () => {
  for (const name of ['onAttemptStart', 'onAttemptResponse', 'onResponse', 'onAttemptEnd'] as const) {
    test(`${name}: all are told in order, and nobody else`, () => {
      const { hooks } = hooked()
      const told: string[] = []
      for (const other of ['onAttemptStart', 'onAttemptResponse', 'onResponse', 'onAttemptEnd'] as const) {
        hooks.add(other, (given) => void told.push(`${other} one ${given === attempt}`))
        hooks.add(other, (given) => void told.push(`${other} two ${given === attempt}`))
      }
      hooks.tell(name, attempt)
      assert.deepEqual(told, [`${name} one true`, `${name} two true`])
    })

    test(`${name}: one that throws is reported by name, and the others are told`, () => {
      const { hooks, reports } = hooked()
      let told = 0
      hooks.add(name, () => void told++)
      hooks.add(name, broken)
      hooks.add(name, () => void told++)
      hooks.tell(name, attempt)
      assert.equal(told, 2)
      assert.deepEqual(reports, [`${name} broken: the hook is broken`])
    })
  }
})

describe('onBackendsChange', () => {
  test('all are told, also when one throws, which is reported by name', () => {
    const { hooks, reports } = hooked()
    const before = backendSet([], 0, 0)
    const told: unknown[] = []
    hooks.add('onBackendsChange', (...sets) => void told.push(sets))
    hooks.add('onBackendsChange', broken)
    hooks.add('onBackendsChange', (...sets) => void told.push(sets))
    hooks.tellChange(set, before)
    assert.deepEqual(told, [
      [set, before],
      [set, before],
    ])
    assert.deepEqual(reports, ['onBackendsChange broken: the hook is broken'])
  })
})

describe('onBackendsPropose', () => {
  const verdict = (by: string): Verdict => ({ backend, veto: { by, reason: 'not up yet' } })

  test('the verdicts of all are collected, whether they answer at once, later, or nothing', async () => {
    const { hooks } = hooked()
    const seen: unknown[] = []
    hooks.add('onBackendsPropose', async (candidates) => {
      seen.push(candidates)
      await settled()
      return [verdict('one'), verdict('two')]
    })
    hooks.add('onBackendsPropose', () => {})
    hooks.add('onBackendsPropose', async () => {})
    hooks.add('onBackendsPropose', () => [verdict('three')])
    assert.deepEqual(await hooks.judge([backend]), [verdict('one'), verdict('two'), verdict('three')])
    assert.deepEqual(seen, [[backend]])
  })

  test('all are asked at once', async () => {
    const { hooks } = hooked()
    const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let asked = 0
    for (const { promise } of answers) {
      hooks.add('onBackendsPropose', async () => {
        asked++
        await promise
      })
    }
    const judged = hooks.judge([backend])
    assert.equal(asked, 2)
    for (const { resolve } of answers) resolve()
    assert.deepEqual(await judged, [])
  })

  test('one that throws or rejects is reported by name, and the verdicts of the others count', async () => {
    const { hooks, reports } = hooked()
    hooks.add('onBackendsPropose', broken)
    hooks.add('onBackendsPropose', async function rejecting() {
      await settled()
      throw new Error('too late')
    })
    hooks.add('onBackendsPropose', () => [verdict('one')])
    assert.deepEqual(await hooks.judge([backend]), [verdict('one')])
    assert.deepEqual(reports, ['onBackendsPropose broken: the hook is broken', 'onBackendsPropose rejecting: too late'])
  })
})

test('a hook that is async by mistake, and fails, is reported and does not end the process', async () => {
  const { hooks, reports } = hooked()
  const late = async () => {
    await settled()
    throw new Error('too late')
  }
  hooks.add('onAttemptEnd', late)
  hooks.tell('onAttemptEnd', attempt)
  hooks.add('onPick', late as unknown as () => void)
  assert.equal(hooks.admits(attempt), true)
  hooks.add('onBackendsChange', late)
  hooks.tellChange(set, set)
  await settled()
  await settled()
  assert.deepEqual(reports, ['onAttemptEnd late: too late', 'onPick late: too late', 'onBackendsChange late: too late'])
})

test("the balancer's log is told of a hook that throws, with its balancer and name", (t) => {
  const lines: unknown[] = []
  const log = { error: (...line: unknown[]) => void lines.push(line) }
  const balancer = new Balancer({ name: 'api', backends: ['http://a.test'] }, log as never)
  t.after(() => balancer.close())
  balancer.addHook('onPick', broken)
  const picked = balancer.pick({ attempts: [] } as unknown as Parameters<Balancer['pick']>[0])
  assert.equal(typeof picked, 'object')
  assert.equal(lines.length, 1)
  const [[fields, message]] = lines as [[Record<string, unknown>, string]]
  assert.deepEqual(
    { ...fields, err: (fields['err'] as Error).message },
    {
      err: 'the hook is broken',
      balancer: 'api',
      hook: 'onPick broken',
    },
  )
  assert.equal(message, 'a hook of the balancer threw an error')
})
