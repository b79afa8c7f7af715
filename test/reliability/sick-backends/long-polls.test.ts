import type { Policy } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { ask, type Answer } from '../../support/ask.ts'
import { startBackend } from '../../support/backend.ts'
import { until } from '../../support/until.ts'
import { noProbes, startChecked, vetoed, type CheckedOptions } from './checked-app.ts'

/** How long a poll is kept waiting (ms): long enough for many looks at who is silent. */
const wait = 1500

/** Polls go to the first backend, and nothing else does: as by a sticky policy, or by luck. */
const polled: Policy = {
  name: 'polled',
  over([first, ...others]) {
    let turn = 0
    const choose = (url: string) =>
      url.startsWith('/poll') || others.length === 0 ? first : others[turn++ % others.length]
    return { pick: ({ url }) => choose(url), peek: ({ url }) => choose(url) }
  },
}

/** Three backends that answer at once, but polls after a while; the first can hang. */
async function start(t: TestContext, healthCheck: CheckedOptions['healthCheck'] = {}) {
  let hangs = false
  const held: ServerResponse[] = []
  const started = await Promise.all(
    ['a', 'b', 'c'].map((id) =>
      startBackend(t, ({ url }, response) => {
        if (hangs && id === 'a') held.push(response)
        else if (url!.startsWith('/poll')) setTimeout(() => response.end(id), wait)
        else response.end(id)
      }),
    ),
  )
  const backends = started.map(({ url }, index) => ({ id: 'abc'[index]!, url }))
  const one = await startChecked(t, { backends, core: { policy: polled }, healthCheck, circuitBreaker: false })
  one.load.begin(one.url)
  // Their times must be known.
  await one.load.more(200)
  const answers: Answer[] = []
  /** So many clients that poll without end, until `times` polls each were answered. */
  const poll = async (clients: number, times: number) => {
    await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        for (let count = 0; count < times; count++) answers.push(await ask(`${one.url}/poll?client=${client}`))
      }),
    )
  }
  const release = () => {
    for (const response of held) response.end()
  }
  return { ...one, victim: one.balancer.backend('a'), poll, answers, hang: () => void (hangs = true), release }
}

// At once: they wait for polls.
describe('long polls', { concurrency: true }, () => {
  test('a backend that happens to get all long polls is not hanging, as its probes say', async (t) => {
    const { app, victim, poll, answers, load, hang, release, url } = await start(t)
    await poll(6, 2)
    assert.deepEqual(
      answers.map(({ body }) => body),
      Array(12).fill('a'),
    )
    assert.deepEqual([victim.vetoes, app.healthCheck.of('a').history], [[], []])

    // One that does not answer its probes either is out as soon as ever.
    hang()
    const polls = Array.from({ length: 6 }, (_, client) => ask(`${url}/poll?client=${client}`))
    t.diagnostic(`ejected ${(await vetoed(victim)).toFixed(0)} ms after it began to hang`)
    assert.deepEqual(
      victim.vetoes.map(({ by }) => by),
      ['outlier-detection'],
    )
    assert.match(victim.vetoes[0]!.reason, /^hanging: \d requests have waited longer than/)
    await load.end()
    release()
    await Promise.all(polls)
  })

  test('without probes, neither is one whose paths are known to take that long', async (t) => {
    const { app, victim, poll, load, hang, release, url } = await start(t, noProbes)
    // Two that wait are no suspicion; their answers teach how long such polls take.
    await poll(2, 1)
    await poll(6, 2)
    assert.deepEqual([victim.vetoes, app.healthCheck.of('a').history], [[], []])

    hang()
    const polls = Array.from({ length: 6 }, (_, client) => ask(`${url}/poll?client=${client}`))
    await until('they wait longer than ever', () => app.healthCheck.of('a').passive.longestWait > wait)
    await vetoed(victim)
    assert.equal(victim.vetoes[0]!.by, 'outlier-detection')
    await load.end()
    release()
    await Promise.all(polls)
  })
})
