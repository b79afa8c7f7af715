import { addressIn } from '@fastify-balancer/option-schema'
import { backendUrl } from '../result/backend-url.ts'
import { byDefault, Sourced, type Tree } from '../result/draft.ts'
import type { Place } from '../result/report.ts'

/** One `server` line of an upstream, as far as it can be carried over. */
export interface Server {
  readonly place: Place
  readonly text: string
  /** Host and port, as a URL writes them; or a Unix socket. */
  readonly authority: string
  readonly weight: number
  readonly maxConns: number
  readonly maxFails: number
  readonly failTimeout: number
  readonly isBackup: boolean
  readonly isDown: boolean
}

type Limits = Pick<Server, 'maxFails' | 'failTimeout'>

const isOff = ({ maxFails, failTimeout }: Limits) => maxFails === 0 || failTimeout === 0

const settings = ({ maxFails, failTimeout }: Limits) => ({
  failures: maxFails,
  window: failTimeout,
  openFor: failTimeout,
  maxOpenFor: failTimeout,
})

const areSame = (one: Limits, other: Limits) =>
  isOff(one) ? isOff(other) : one.maxFails === other.maxFails && one.failTimeout === other.failTimeout

/**
 * `max_fails` and `fail_timeout` as circuits: after `max_fails` failures, no requests for `fail_timeout`; then one is tried.
 * The statuses that count are those of `proxy_next_upstream`. A single server is never taken out.
 */
export function circuitsOf(servers: readonly Server[], scheme: string, statuses: readonly number[]): Tree {
  const [first] = servers
  if (first === undefined || servers.length === 1)
    return byDefault('nginx', false, 'a single server is never taken out')
  const common = servers.find((server) => !isOff(server))
  if (common === undefined) return new Sourced(false, 'max_fails is 0 for every server')
  const others = servers.filter((server) => !areSame(server, common))
  return new Sourced(
    {
      ...settings(common),
      growth: 1,
      jitter: 0,
      statuses,
      backends:
        others.length === 0
          ? undefined
          : Object.fromEntries(
              others.map((server) => [
                addressIn(backendUrl(server.authority, scheme)).url,
                isOff(server) ? false : settings(server),
              ]),
            ),
    },
    'after max_fails failures within fail_timeout, a server gets no requests for fail_timeout, then one trial request',
  )
}
