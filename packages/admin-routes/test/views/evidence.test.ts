import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ExplanationView } from '../../src/schemas/explanation.ts'
import { BackendView, BalancerView, FaultView, SetView } from '../../src/schemas/views.ts'
import { a, assertIs, stage } from '../stage.ts'

const backends = '/balancers/default/backends'
const circular: { self?: unknown } = {}
circular.self = circular

describe('the evidence of a veto', () => {
  for (const [what, evidence] of Object.entries<unknown>({
    'with a BigInt': { bytes: 10n },
    'that holds itself': circular,
    'that is a function': () => 1,
    'that throws': {
      toJSON: () => {
        throw new Error('not told')
      },
    },
    'that is too long': 'x'.repeat(65_535),
  }))
    test(`${what} is left out, and the rest is told`, async (t) => {
      const { app, ask, list } = await stage(t)
      app.balancer.veto(app.balancer.backend('a'), { by: 'mine', reason: 'x', evidence })
      const seen = (vetoes: readonly { since: number }[]) =>
        assert.deepEqual(
          vetoes.map(({ since: _since, ...veto }) => veto),
          [{ by: 'mine', reason: 'x', hard: false }],
        )
      for (const [method, path, schema, first, given] of [
        ['GET', '/balancers/default', BalancerView, (body: any) => body.backends[0]],
        ['GET', backends, SetView, (body: any) => body.backends[0]],
        ['GET', `${backends}/a`, BackendView, (body: any) => body],
        ['POST', '/balancers/default/explain', ExplanationView, (body: any) => body.backends[0], {}],
        ['PATCH', `${backends}/a`, BackendView, (body: any) => body, { weight: 3 }],
        ['DELETE', `${backends}/b?force=true`, SetView, (body: any) => body.backends[0]],
      ] as const) {
        const { status, body } = await ask(method, path, given)
        assert.equal(status, 200, `${method} ${path}`)
        assertIs(schema, body)
        seen(first(body).vetoes)
      }
      const stale = await ask('PUT', backends, { backends: [] }, { 'if-match': '"1"' })
      assert.equal(stale.status, 412)
      assertIs(FaultView, stale.body)
      seen(stale.body.current.backends[0].vetoes)
      assert.deepEqual(list(), ['a 3'])
    })

  test('that is data is told as JSON has it, up to its bound', async (t) => {
    const { app, ask } = await stage(t, { balancer: { backends: [a] } })
    const backend = app.balancer.backend('a')
    const longest = 'x'.repeat(65_534)
    for (const evidence of [null, 0, longest, { at: new Date(0), none: undefined, list: [NaN, { deep: true }] }])
      app.balancer.veto(backend, { by: 'mine', reason: 'x', evidence })
    const told = [null, 0, longest, { at: '1970-01-01T00:00:00.000Z', list: [null, { deep: true }] }]
    const evidenceOf = ({ vetoes }: { vetoes: { evidence: unknown }[] }) => vetoes.map(({ evidence }) => evidence)
    assert.deepEqual(evidenceOf((await ask('GET', `${backends}/a`)).body), told)
    assert.deepEqual(evidenceOf((await ask('POST', '/balancers/default/explain', {})).body.backends[0]), told)
  })
})
