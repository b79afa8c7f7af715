import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { startChild } from '../support/child.ts'
import type { Holdings } from './proxy-process.ts'

/** A balancer in a process of its own. */
export interface WeighedProxy {
  readonly url: string
  readonly port: number
  /** What it holds now. */
  holdings(): Promise<Holdings>
  /** Looks again and again until what it holds is as it should be. */
  untilHoldings(what: string, hold: (now: Holdings) => boolean): Promise<Holdings>
}

/** Starts a balancer in a process of its own; it ends with the test. */
export async function startWeighedProxy(t: TestContext, options: BalancerOptions): Promise<WeighedProxy> {
  const { child, first } = await startChild(t, new URL('proxy-process.ts', import.meta.url), [JSON.stringify(options)])
  async function holdings(): Promise<Holdings> {
    child.send('holdings')
    const [answer] = (await once(child, 'message')) as [Holdings]
    return answer
  }
  async function untilHoldings(what: string, hold: (now: Holdings) => boolean): Promise<Holdings> {
    const deadline = performance.now() + 10_000
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      const now = await holdings()
      if (hold(now)) return now
      if (performance.now() > deadline) throw new Error(`waited in vain until ${what}: ${JSON.stringify(now)}`)
      // oxlint-disable-next-line no-await-in-loop
      await after(5)
    }
  }
  const port = Number(first)
  return { url: `http://127.0.0.1:${port}`, port, holdings, untilHoldings }
}
