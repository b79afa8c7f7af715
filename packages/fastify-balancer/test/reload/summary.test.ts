import assert from 'node:assert/strict'
import { test } from 'node:test'
import { summaryOf } from '../../src/reload/summary.ts'

test('a summary names what has changed, what waits, and who asked for it', () => {
  const changes = [
    { option: 'balancers.web.backends.b', from: undefined, to: 'added' },
    { option: 'balancers.web.backends.c', from: 'removed', to: undefined, overrides: true as const },
    { option: 'balancers.web.backends.a.weight', from: 1, to: 5 },
    { option: 'balancers.web.backends.a.zone', from: undefined, to: 'east' },
    { option: 'balancers.web.backends.a.tags', from: ['x'], to: undefined },
    { option: 'admin.token', from: '(hidden)', to: '(hidden)' },
  ]
  const cannot = [{ option: 'listen.0.port', from: 80, to: 81, why: 'listeners open when the process starts' }]
  assert.equal(
    summaryOf({ trigger: 'api', who: 'maria' }, [], changes, cannot),
    'reloaded (api, by maria): balancers.web.backends.b added; balancers.web.backends.c removed, overriding a change through the admin API; balancers.web.backends.a.weight 1 → 5; balancers.web.backends.a.zone set to east; balancers.web.backends.a.tags not set any more (was ["x"]); admin.token changed. Only after a restart: listen.0.port 80 → 81 (listeners open when the process starts)',
  )
  assert.equal(summaryOf({ trigger: 'SIGHUP', dryRun: true }, [], [], []), 'would reload (SIGHUP): nothing has changed')
  const faults = Array.from({ length: 22 }, (_, index) => `f.yaml:${index}:1: no`)
  assert.match(
    summaryOf({ trigger: 'f.yaml changed' }, faults, [], []),
    /^not reloaded \(f\.yaml changed\), the configuration in force stays: f\.yaml:0:1: no; .*; and 2 more$/,
  )
})
