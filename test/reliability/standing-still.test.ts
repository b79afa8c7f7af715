import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { startChild } from '../support/child.ts'
import { until } from '../support/until.ts'
import type { Opinions } from './standing-still-program.ts'

/** Longer than any limit of the checks in that process (ms). */
const pause = 3000

/** A backend that answers GETs and probes at once, or when it is told to. */
async function startHolding(t: TestContext) {
  const held = { HEAD: [] as ServerResponse[], GET: [] as ServerResponse[] }
  let holds = false
  const backend = await startBackend(t, ({ method }, response) => {
    if (holds) held[method as 'HEAD' | 'GET'].push(response)
    else response.end('well')
  })
  return {
    url: backend.url,
    held,
    hold: () => void (holds = true),
    /** Answers what it holds, or breaks those connections; and holds no more. */
    release(how: 'answer' | 'break') {
      holds = false
      for (const response of [...held.HEAD.splice(0), ...held.GET.splice(0)])
        if (how === 'answer') response.end('well')
        else response.socket!.destroy()
    },
  }
}

/** The kernel runs no instruction of it. */
function isStopped({ pid }: ChildProcess): boolean {
  return /\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

const skip = process.platform === 'linux' ? false : 'needs /proc'

describe('a process that was stopped blames no backend', { concurrency: true, skip }, () => {
  for (const how of ['answer', 'break'] as const) {
    test(`they ${how} meanwhile`, async (t) => {
      const backends = [await startHolding(t), await startHolding(t), await startHolding(t)] as const
      const file = new URL('standing-still-program.ts', import.meta.url)
      const { child, first } = await startChild(
        t,
        file,
        backends.map(({ url }) => url),
      )
      const url = `http://127.0.0.1:${String(first)}/`
      for (let count = 0; count < 60; count++) assert.equal((await ask(url)).status, 200)
      const [backend] = backends
      backend.hold()
      const answers = Array.from({ length: 9 }, () => ask(url))
      await until('it has a probe and requests', () => backend.held.HEAD.length > 0 && backend.held.GET.length > 2)
      child.kill('SIGSTOP')
      await until('the process has stopped', () => isStopped(child))
      backend.release(how)
      await after(pause)
      child.kill('SIGCONT')
      const statuses = (await Promise.all(answers)).map(({ status }) => status)
      assert.deepEqual(statuses, Array(9).fill(200))
      // What it measures now, it may judge; nothing is left to judge of what was before.
      for (let count = 0; count < 30; count++) assert.equal((await ask(url)).status, 200)
      child.send('?')
      const [told] = (await once(child, 'message')) as [Opinions]
      const expected = 'this process was paused: probes do not count; backends keep their state'
      assert.deepEqual(told, {
        judgements: [],
        vetoes: [],
        failures: [0, 0, 0],
        circuits: backends.map(() => ({ state: 'closed', openings: 0, failures: [] })),
        told: how === 'break' ? [expected] : [],
      })
    })
  }
})
