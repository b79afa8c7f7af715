import {
  Balancer,
  type Backend,
  type BackendOptions,
  type BalancerOptions,
  type Clock,
} from '@fastify-balancer/balancer-core'
import { Pauses, withDefaults } from '@fastify-balancer/option-schema'
import { performance } from 'node:perf_hooks'
import type { TestContext } from 'node:test'
import { chooseProbe } from '../../src/probe/choose-probe.ts'
import { ActiveOptions, type GivenActiveOptions } from '../../src/active/active-options.ts'
import { Probing, type ProbeReport } from '../../src/probe/probing.ts'

/** Real time. */
export const realClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
}

/** Active options with every default in place. */
export function optionsOf(given: GivenActiveOptions = {}): ActiveOptions {
  return withDefaults(ActiveOptions, given)
}

/** A backend of a real balancer. */
export function backendAt(t: TestContext, url: string, options: BalancerOptions = {}): Backend {
  const balancer = new Balancer({ backends: [{ url, id: 'a', tags: ['canary'], zone: 'z' }], ...options })
  t.after(() => balancer.close())
  return balancer.backend('a')
}

/** Asks a backend once, over real sockets, as a check would. */
export function ask(
  t: TestContext,
  url: string,
  given: GivenActiveOptions = {},
  pool: BalancerOptions['pool'] = {},
  own: Pick<BackendOptions, 'protocol'> = {},
): Promise<ProbeReport> {
  const options = optionsOf(given)
  const backend = backendAt(t, url, { pool, backends: [{ url, id: 'a', tags: ['canary'], zone: 'z', ...own }] })
  return new Promise((resolve) => {
    new Probing({ clock: realClock, pauses: new Pauses(realClock), timeout: options.timeout }, resolve).start(
      chooseProbe(options),
      backend,
    )
  })
}
