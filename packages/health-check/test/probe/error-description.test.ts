import assert from 'node:assert/strict'
import { describe as suite, test } from 'node:test'
import { describe } from '../../src/probe/error-description.ts'

const indescribable = 'an error that cannot be described'

function throwing(name: string): object {
  return Object.defineProperty({}, name, {
    get() {
      throw new Error('boom')
    },
  })
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

suite('an error in few words', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED ::1:80'), { syscall: 'connect', code: 'ECONNREFUSED' })
  for (const [what, error, words] of [
    ['of the system', refused, 'connect ECONNREFUSED'],
    ['of several addresses', new AggregateError([refused, refused], ''), 'connect ECONNREFUSED'],
    ['of none', new AggregateError([], 'nothing'), 'nothing'],
    ['with a message', new Error('socket hang up'), 'socket hang up'],
    ['with a code only', Object.assign(new Error(''), { code: 'ERR_X' }), 'ERR_X'],
    ['that is null', null, 'null'],
    ['that has no words', Object.assign(Object.create(null), { code: 42 }), indescribable],
    ['of several without words', new AggregateError([Object.create(null)], ''), indescribable],
    ['whose words throw', { toString: 5, valueOf: 5 }, indescribable],
    ['whose message throws', throwing('message'), indescribable],
    ['whose code throws', throwing('code'), indescribable],
    ['that is a revoked proxy', revoked(), indescribable],
  ] as const) {
    test(what, () => assert.equal(describe(error), words))
  }
})
