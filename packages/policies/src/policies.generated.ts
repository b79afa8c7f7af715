// Written by `node test/option-types.ts --write` from the schema in policies.ts: change that one.
import type { KeyOption } from './consistent/key-option.ts'
import type { PolicyOption } from '@fastify-balancer/balancer-core'

/** What may stand beside `name: 'peak-ewma'`: everything that has a default is optional. */
export interface PeakEwmaSettings {
  /**
   * How long a slow response counts: the time constant of the mean (ms)
   * @default 10000
   */
  decay?: number
  /**
   * The response time that a failure counts as (ms; 0 = none)
   * @default 5000
   */
  penalty?: number | false
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

declare module '@fastify-balancer/balancer-core' {
  interface PolicySettings {
    'peak-ewma': PeakEwmaSettings
    maglev: MaglevSettings
    ring: RingSettings
    rendezvous: RendezvousSettings
  }
}
