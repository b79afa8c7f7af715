import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { describe, test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, unusedOrigin } from '../support/backend.ts'

const page = readFileSync(new URL('../../packages/docs/guide/life-of-a-request.md', import.meta.url), 'utf8')

describe('the life of a request is as the documentation has it', { timeout: 100_000 }, () => {
  const rows = page.split('\n\n')[1]!.split('\n').slice(2)
  const phases = rows.map((row) => {
    const [, name, , ...seams] = row.split('|').map((cell) => cell.trim())
    return { name: name!, seams: seams.flatMap((seam) => /^`(.+)`$/.exec(seam)?.[1] ?? []) }
  })
  const seamsOf = (...names: string[]) =>
    names.flatMap((name) => phases.find((phase) => phase.name === name)?.seams ?? assert.fail(name))

  /** Tells every seam, in the order in which they are passed; resolves when an exchange has ended. */
  async function follow(t: TestContext, backends: string[], act: (url: string) => Promise<unknown>): Promise<string[]> {
    const passed: string[] = []
    const { app, url } = await startApp(t, {
      backends,
      rewrite: {
        request: () => void passed.push('rewrite.request'),
        response: () => void passed.push('rewrite.response'),
      },
    })
    for (const name of ['onPick', 'onAttemptStart', 'onAttemptResponse', 'onResponse', 'onAttemptEnd'] as const)
      app.balancer.addHook(name, () => void passed.push(name))
    const ended = new Promise<void>((resolve) => {
      for (const name of ['exchange:start', 'attempt:start', 'attempt:response', 'attempt:end', 'exchange:end']) {
        const hear = () => {
          passed.push(name)
          if (name === 'exchange:end') resolve()
        }
        subscribe(`balancer-core:${name}`, hear)
        t.after(() => unsubscribe(`balancer-core:${name}`, hear))
      }
    })
    await act(url)
    await ended
    return passed
  }

  test('a plain one', async (t) => {
    const { url: backend } = await startBackend(t)
    const passed = await follow(t, [backend], (url) => ask(url))
    assert.deepEqual(
      passed,
      phases.flatMap(({ seams }) => seams),
    )
  })

  test('one whose first backend refuses', async (t) => {
    const { url: backend } = await startBackend(t)
    const plain = phases.flatMap(({ seams }) => seams)
    const pick = plain.indexOf('onPick')
    assert.deepEqual(await follow(t, [await unusedOrigin(), backend], (url) => ask(url)), [
      ...plain.slice(0, pick),
      ...seamsOf('pick', 'attempt', 'body'),
      ...plain.slice(pick),
    ])
  })

  test('one whose client leaves', async (t) => {
    const leaving = new AbortController()
    const { url: backend } = await startBackend(t, () => leaving.abort())
    assert.deepEqual(await follow(t, [backend], (url) => ask(url, { signal: leaving.signal })), [
      ...seamsOf('judge'),
      'rewrite.request',
      ...seamsOf('pick', 'attempt', 'body', 'end'),
    ])
  })
})
