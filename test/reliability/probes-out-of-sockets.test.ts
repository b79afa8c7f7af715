import type { ProbeReport } from '@fastify-balancer/health-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBackends } from '../support/backend.ts'
import { startProgram, withOpenFiles } from '../support/program.ts'

/** What the program tells. */
interface Told {
  readonly without: readonly ProbeReport[]
  readonly overRest: ProbeReport
  readonly during: { readonly states: readonly string[]; readonly vetoes: readonly string[] }
  readonly withSockets: readonly ProbeReport[]
  readonly states: readonly string[]
  readonly vetoes: readonly string[]
  readonly messages: readonly string[]
}

test('while this process is out of sockets, probes say nothing, and the log says so once', async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c')
  const program = startProgram(t, fileURLToPath(new URL('probes-out-of-sockets-program.ts', import.meta.url)), {
    args: backends.map(({ url }) => url),
    within: withOpenFiles(64),
  })
  const [line] = await program.until(/^\{"without".*$/)
  const told = JSON.parse(line) as Told
  assert.equal(told.without.length, 15)
  for (const { good, inconclusive, received } of [...told.without, told.overRest])
    assert.deepEqual(
      [good, inconclusive, received],
      [false, 'out-of-sockets', 'connect EMFILE: this process is out of sockets'],
    )
  assert.deepEqual(told.during, { states: ['up', 'up', 'up'], vetoes: [] })
  assert.deepEqual(
    told.withSockets.map(({ good }) => good),
    [true, true, true],
  )
  assert.deepEqual([told.states, told.vetoes], [['up', 'up', 'up'], []])
  assert.deepEqual(told.messages, [
    'this process is out of sockets: probes could not be sent and do not count; backends keep their state',
  ])
  assert.deepEqual(await program.exit, { code: 0, signal: null })
})
