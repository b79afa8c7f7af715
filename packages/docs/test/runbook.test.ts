import Fastify from 'fastify'
import balancer, { type BalancerOptions } from 'fastify-balancer'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../../../test/support/app.ts'
import { ask } from '../../../test/support/ask.ts'
import { startBackend, type TestBackend } from '../../../test/support/backend.ts'
import { LogLines } from '../../../test/support/log-lines.ts'
import { until } from '../../../test/support/until.ts'
import { written } from './pages.ts'

const runbook = written.find(({ file }) => file.endsWith('runbook.md'))!.text

/** The sentences that the runbook quotes of the log in an incident, as patterns: names and figures differ. */
function sentencesOf(incident: string): RegExp[] {
  const [, section = ''] = runbook.split(`## ${incident}\n`)
  const [, row = assert.fail(incident)] = /^\| log \| (.*) \|$/m.exec(section) ?? []
  const spans = [...row.matchAll(/`([^`]+)`/g)].map(([, span]) => span!).filter((span) => span.includes(' '))
  return spans.map((sentence) => {
    const text = sentence.replaceAll(/[.()[\]+?*]/g, '\\$&').replaceAll(/…|\b(?:shop|b2?)\b/g, '.+')
    return new RegExp(`^${text.replaceAll(/\d+(?:\\\.\d+)?/g, '[\\d.]+')}`)
  })
}

interface Running {
  readonly url: string
  readonly log: LogLines
  readonly backends: readonly TestBackend[]
  /** So many failed probes make a backend unhealthy at once. */
  readonly probe: (id: string) => Promise<void>
}

const names = ['a', 'b', 'c']

async function start(
  t: TestContext,
  options: BalancerOptions = {},
  answer?: (name: string, response: ServerResponse) => void,
): Promise<Running> {
  const log = new LogLines()
  const app = Fastify({ logger: log })
  const backends = await Promise.all(
    names.map((name) =>
      startBackend(t, (_, response) => (answer === undefined ? response.end(name) : answer(name, response))),
    ),
  )
  await app.register(balancer, {
    name: 'shop',
    backends: backends.map(({ url }, index) => ({ id: names[index]!, url, maxInFlight: 1 })),
    healthCheck: { interval: 600_000, initial: 'up' },
    admin: { insecure: true, user: () => 'maria' },
    ...options,
  })
  const { url } = await listenApp(t, app)
  const probe = async (id: string) => {
    for (let turn = 0; turn < 3; turn++) await app.healthCheck.probe(id)
  }
  return { url, log, backends, probe }
}

async function order({ url }: Running, method: string, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await ask(`${url}/_balancer/balancers/shop/backends/${path}`, {
    method,
    headers,
    body: JSON.stringify(body),
  })
  assert.equal(answer.status, 200, answer.body)
}

/** How each incident comes about. The others take too long, or another machine. */
const incidents: Readonly<Record<string, (t: TestContext) => Promise<Running>>> = {
  async 'A backend was killed'(t) {
    const running = await start(t)
    await running.backends[0]!.stop()
    for (let turn = 0; turn < 12; turn++) assert.equal((await ask(running.url)).status, 200)
    await running.probe('a')
    return running
  },

  async 'A backend answers 500'(t) {
    const running = await start(t, {}, (name, response) => {
      if (name === 'b') response.statusCode = 500
      response.end(name)
    })
    for (let turn = 0; turn < 18; turn++) await ask(running.url)
    return running
  },

  async 'All backends are down'(t) {
    const running = await start(t)
    await Promise.all(running.backends.map((backend) => backend.stop()))
    for (const name of names) await running.probe(name)
    assert.equal((await ask(running.url)).status, 502)
    return running
  },

  async 'A backend was drained'(t) {
    const running = await start(t)
    await order(running, 'PUT', 'b/state', { state: 'drain' })
    return running
  },

  async 'A weight was changed'(t) {
    const running = await start(t)
    await order(running, 'PATCH', 'b', { weight: 50 })
    return running
  },

  async 'The queue is full'(t) {
    const held: ServerResponse[] = []
    const running = await start(t, { queue: { max: 1 }, timeouts: { queue: 0 } }, (_, response) => {
      if (response.req.method === 'GET' && response.req.url === '/slow') held.push(response)
      else response.end()
    })
    const slow = [0, 1, 2, 3].map(() => ask(`${running.url}/slow`))
    await until('all three are busy', () => held.length === 3)
    assert.equal((await ask(running.url)).status, 503)
    for (const response of held) response.end()
    await until('the last one is there', () => held.length === 4)
    held[3]!.end()
    await Promise.all(slow)
    return running
  },
}

describe('the log has the sentences of the runbook', { timeout: 100_000 }, () => {
  for (const [incident, provoke] of Object.entries(incidents))
    test(incident, async (t) => {
      const sentences = sentencesOf(incident)
      assert.ok(sentences.length > 0)
      const { log } = await provoke(t)
      const messages = () => log.all.map(({ msg = '' }) => msg)
      for (const sentence of sentences)
        await until(
          `${sentence} is logged; there are\n${messages().join('\n')}`,
          () => messages().some((msg) => sentence.test(msg)),
          5000,
        )
    })
})
