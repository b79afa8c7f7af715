// Written by `node test/option-types.ts --write` from the schema in policies.ts: change that one.
import type { KeyOption } from './keys/key-option.ts'
import type { PolicyOption } from '@fastify-balancer/balancer-core'

/** What may stand beside `name: 'peak-ewma'`: everything that has a default is optional. */
export interface PeakEwmaSettings {
  /**
   * Time constant of the moving average of response times (ms)
   * @default 300
   */
  average?: number
  /**
   * How fast the past of an unused backend is forgotten: time constant (ms)
   * @default 5000
   */
  decay?: number
  /**
   * The response time that a failure counts as (ms; 0 = none)
   * @default 5000
   */
  penalty?: number | false
  /**
   * What raises the average at once: a backend that has requests and sends nothing, or each response slower than the
   * average
   * @default 'silence'
   */
  peaks?: 'silence' | 'response'
  /**
   * Ask backends for load reports (ORCA, header `endpoint-load-metrics`) and use them; clients do not see them
   * @default false
   */
  reports?: boolean
}

/** What may stand beside `name: 'least-time'`: everything that has a default is optional. */
export interface LeastTimeSettings {
  /**
   * Where a response time ends: at the response headers, or at the end of the body; of event streams, gRPC and tunnels
   * always at the headers
   * @default 'first-byte'
   */
  to?: 'first-byte' | 'last-byte'
  /**
   * Count requests that have not been answered: their mean age, if that is longer than the average
   * @default false
   */
  inflight?: boolean
  /**
   * A backend without requests counts as twice as fast after each of these (ms)
   * @default 10000
   */
  halving?: number
  /**
   * The response time that a failure counts as (ms; 0 = none)
   * @default 5000
   */
  penalty?: number | false
  /**
   * Ask backends for load reports (ORCA, header `endpoint-load-metrics`) and use them; clients do not see them
   * @default false
   */
  reports?: boolean
}

/** What may stand beside `name: 'c3'`: everything that has a default is optional. */
export interface C3Settings {
  /**
   * How many balancers send requests to the same backends
   * @default 1
   */
  balancers?: number
  /**
   * How fast the past of an unused backend is forgotten: time constant (ms)
   * @default 5000
   */
  decay?: number
  /**
   * The response time that a failure counts as (ms; 0 = none)
   * @default 5000
   */
  penalty?: number | false
  /**
   * Ask backends for load reports (ORCA, header `endpoint-load-metrics`) and use them; clients do not see them
   * @default false
   */
  reports?: boolean
}

/** What may stand beside `name: 'prequal'`: everything that has a default is optional. */
export interface PrequalSettings {
  /**
   * Backends whose load is above this quantile are hot, and used only if all are; 0 = load alone counts
   * @default 0.84
   */
  quantile?: number
  /**
   * The response time that a failure counts as (ms; 0 = none)
   * @default 5000
   */
  penalty?: number | false
  /**
   * Ask backends for load reports (ORCA, header `endpoint-load-metrics`) and use them; clients do not see them
   * @default false
   */
  reports?: boolean
}

/** What may stand beside `name: 'sticky'`: everything that has a default is optional. */
export interface StickySettings {
  /**
   * Secrets that the tokens are made with, the same on every instance: the first is used for new ones, all are
   * accepted. To change it, put the new one first and keep the old one as long as clients have its tokens
   */
  secret: readonly string[]
  /**
   * Name of the cookie with the token, `srv` unless `header` is given. Balancers that share a host name need different
   * ones
   */
  cookie?: string
  /**
   * Name of a header instead, for clients without cookies: responses tell them the token in it, and they send it back
   * in it
   * @default none
   */
  header?: string
  /**
   * How a backend is chosen for new clients, as in `policy`
   * @default 'round-robin'
   */
  policy?: PolicyOption
  /**
   * When the backend of a client is unhealthy, in maintenance or removed: `redistribute` binds the client to another,
   * `fail` answers 503 and leaves it bound
   * @default 'redistribute'
   */
  whenGone?: 'redistribute' | 'fail'
  /**
   * `Secure` of the cookie; `auto` = for requests over HTTPS, by `request.protocol`
   * @default 'auto'
   */
  secure?: 'auto' | boolean
  /**
   * `SameSite` of the cookie
   * @default 'lax'
   */
  sameSite?: 'lax' | 'strict' | 'none'
  /**
   * `Path` of the cookie
   * @default '/'
   */
  path?: string
  /** `Domain` of the cookie; if not given, the one host name that was asked */
  domain?: string
  /**
   * How long a client keeps the cookie, from when it was bound, at most 400 days (ms); 0 = until the browser closes
   * @default 0
   */
  maxAge?: number
}

/** What may stand beside `name: 'maglev'`: everything that has a default is optional. */
export interface MaglevSettings {
  /**
   * What decides: `{ header }`, `{ cookie }`, `{ query }`, `{ path }`, `{ address }`, `{ body }`, a function, or a list
   * of which the first that a request has is taken; by default the client's address
   */
  key?: KeyOption
  /**
   * Bounded load: a backend with this many times its share of all requests in flight is passed over for the key's next
   * one (0 = off)
   * @default 1.25
   */
  balance?: number | false
  /**
   * The policy for requests without a key
   * @default 'p2c'
   */
  policy?: PolicyOption
}

/** What may stand beside `name: 'ring'`: everything that has a default is optional. */
export interface RingSettings {
  /**
   * What decides: `{ header }`, `{ cookie }`, `{ query }`, `{ path }`, `{ address }`, `{ body }`, a function, or a list
   * of which the first that a request has is taken; by default the client's address
   */
  key?: KeyOption
  /**
   * Bounded load: a backend with this many times its share of all requests in flight is passed over for the key's next
   * one (0 = off)
   * @default 1.25
   */
  balance?: number | false
  /**
   * The policy for requests without a key
   * @default 'p2c'
   */
  policy?: PolicyOption
}

/** What may stand beside `name: 'rendezvous'`: everything that has a default is optional. */
export interface RendezvousSettings {
  /**
   * What decides: `{ header }`, `{ cookie }`, `{ query }`, `{ path }`, `{ address }`, `{ body }`, a function, or a list
   * of which the first that a request has is taken; by default the client's address
   */
  key?: KeyOption
  /**
   * Bounded load: a backend with this many times its share of all requests in flight is passed over for the key's next
   * one (0 = off)
   * @default 1.25
   */
  balance?: number | false
  /**
   * The policy for requests without a key
   * @default 'p2c'
   */
  policy?: PolicyOption
}

/** What may stand beside `name: 'tiers'`: everything that has a default is optional. */
export interface TiersSettings {
  /**
   * A priority takes all requests until less than 1 / this of its weight is healthy; below, the rest goes on to the
   * next
   * @default 1.4
   */
  overprovisioning?: number
  /**
   * Used part of all limits (`maxInFlight`) of a priority from which on requests go on to the next (0–1); 0 or `false`
   * = they wait in the queue
   * @default 1
   */
  saturation?: number | false
  /**
   * Used part down to which they go on to the next, below `saturation`
   * @default 0.8
   */
  relief?: number
  /**
   * The policy within each priority, with a state of its own there
   * @default 'p2c'
   */
  policy?: PolicyOption
}

/** What may stand beside `name: 'zones'`: everything that has a default is optional. */
export interface ZonesSettings {
  /** The zone that this balancer is in: `zone` of backends nearby */
  zone: string
  /**
   * Share of the requests that stays in the zone as long as one backend there is healthy (0–1)
   * @default 0
   */
  minimum?: number
  /**
   * All requests stay in the zone until less than 1 / this of its weight is healthy
   * @default 1.4
   */
  overprovisioning?: number
  /**
   * Used part of all limits (`maxInFlight`) of the zone from which on requests go to other zones (0–1); 0 or `false` =
   * they wait in the queue
   * @default 1
   */
  saturation?: number | false
  /**
   * Used part down to which they go to other zones, below `saturation`
   * @default 0.8
   */
  relief?: number
  /**
   * The policy within the zone, and among all others
   * @default 'p2c'
   */
  policy?: PolicyOption
}

/** What may stand beside `name: 'canary'`: everything that has a default is optional. */
export interface CanarySettings {
  /**
   * The canaries are the backends with this tag
   * @default 'canary'
   */
  tag?: string
  /**
   * Share of the requests, or with `key` of the users, that canaries get (0–1), however many there are
   * @default 0
   */
  share?: number
  /**
   * Keeps each user on one side: `{ header }`, `{ cookie }`, `{ query }`, `{ path }`, `{ address }`, `{ body }`, a
   * function, or a list of which the first that a request has is taken. Without it, each request is drawn
   */
  key?: KeyOption
  /**
   * A request with this header goes to a canary if its value is `always`, and to none if it is `never`
   * @default none
   */
  header?: string
  /**
   * The same for a cookie; the header counts first
   * @default none
   */
  cookie?: string
  /**
   * The policy among canaries, and among the others
   * @default 'p2c'
   */
  policy?: PolicyOption
}

declare module '@fastify-balancer/balancer-core' {
  interface PolicySettings {
    'peak-ewma': PeakEwmaSettings
    'least-time': LeastTimeSettings
    c3: C3Settings
    prequal: PrequalSettings
    sticky: StickySettings
    maglev: MaglevSettings
    ring: RingSettings
    rendezvous: RendezvousSettings
    tiers: TiersSettings
    zones: ZonesSettings
    canary: CanarySettings
  }
}
