// Written by `node test/option-types.ts --write` from the schema in scenario-schema.ts: change that one.
import type { ChosenPolicy, SimulatedOptions } from './simulated-options.ts'

/** What `simulate` takes, and what a scenario file holds. */
export interface SimulationOptions {
  /**
   * The JSON Schema that editors use, in a JSON file
   * @default none
   */
  $schema?: string
  /** The servers */
  backends: readonly ({
    /** Its name. Default: `backend-1` and so on */
    id?: string
    /**
     * How many there are of it. With more than one, their names are `id` with `-1`, `-2` and so on
     * @default 1
     */
    count?: number
    /**
     * How many requests it serves at once; more wait in its own queue, first come, first served
     * @default 16
     */
    slots?: number
    /** How long requests take once they have a place */
    service?: {
      /**
       * How service times differ: `constant` = not at all, `exponential` = much, `lognormal` and `pareto` = a few take
       * very long
       * @default 'exponential'
       */
      distribution?: 'exponential' | 'constant' | 'lognormal' | 'pareto'
      /**
       * Average service time (ms)
       * @default 10
       */
      mean?: number
      /**
       * `lognormal`: the standard deviation of the logarithm
       * @default 1
       */
      sigma?: number
      /**
       * `pareto`: the tail index; the nearer to 1, the longer the longest
       * @default 2
       */
      shape?: number
      /** `pareto`: the longest service time, as a multiple of the shortest. Default: no limit */
      range?: number
    }
    /**
     * Round trip of the network to it (ms)
     * @default 0
     */
    delay?: number
    /**
     * Its share of the traffic, relative to the others
     * @default 1
     */
    weight?: number
    /**
     * Tier: 0 is used first. A higher tier gets traffic only when no backend of a lower one is healthy, or all of them
     * have failed a request
     * @default 0
     */
    priority?: number
    /** Most requests in flight at once. Default: `pool.connections`, which is also the limit over HTTP/1.1 */
    maxInFlight?: number
    /**
     * Where it runs, e.g. a data centre: for the policy `zones`, and shown in views
     * @default none
     */
    zone?: string
    /**
     * Labels, e.g. `canary` for the policy of that name; shown in views
     * @default none
     */
    tags?: readonly string[]
    /** Regular pauses, e.g. of its garbage collector */
    pauses?: {
      /** From the beginning of one pause to that of the next (ms) */
      every: number
      /** How long a pause lasts (ms) */
      for: number
      /** When the first begins. Default: `every` (ms from the beginning of the traffic) */
      from?: number
    }
    /**
     * Times in which it is slower, e.g. because of others on its machine
     * @default []
     */
    slow?: readonly {
      /** When it begins (ms from the beginning of the traffic) */
      from: number
      /** When it ends. Default: never (ms from the beginning of the traffic) */
      to?: number
      /** How many times as long everything takes */
      factor: number
      /** It comes again after this time, from one beginning to the next. Default: once (ms) */
      every?: number
    }[]
    /**
     * Times in which it does not run: what it had is lost, and connections are refused
     * @default []
     */
    down?: readonly {
      /** When it begins (ms from the beginning of the traffic) */
      from: number
      /** When it ends. Default: never (ms from the beginning of the traffic) */
      to?: number
    }[]
    /** Requests that it answers with an error */
    failures?: {
      /** Share of requests that fail */
      share: number
      /**
       * Their status
       * @default 503
       */
      status?: number
      /**
       * How long they take in place of their service time (ms; 0 = none)
       * @default 1
       */
      after?: number | false
    }
  })[]
  /** When requests come: `rate` or `clients` */
  arrivals: {
    /**
     * Open loop: requests per second, however long the answers take
     * @default none
     */
    rate?: number
    /**
     * Open loop: `poisson` = independent of each other, `constant` = evenly spaced
     * @default 'poisson'
     */
    process?: 'poisson' | 'constant'
    /**
     * Closed loop: clients that each wait for their answer and ask again
     * @default none
     */
    clients?: number
    /**
     * Closed loop: how long a client waits before it asks again (ms; 0 = none)
     * @default 0
     */
    think?: number | false
  }
  /** How a backend is chosen, as `register` takes it. Default: `round-robin` */
  policy?: ChosenPolicy
  /**
   * Several policies, in place of `policy`: all get the same requests, and are compared
   * @default none
   */
  policies?: readonly ChosenPolicy[]
  /** Who asks: for policies that send each user to a backend of its own */
  keys?: {
    /**
     * The header that says whose request it is
     * @default 'x-user'
     */
    header?: string
    /**
     * How many users there are
     * @default 1000
     */
    users?: number
    /**
     * Exponent of Zipf's law: 0 = all ask equally often, 1 = the first twice as often as the second, three times as
     * often as the third
     * @default 1
     */
    skew?: number
  }
  /**
   * Options of `register`: `timeouts`, `retry`, `queue`, `panicThreshold`, `slowStart`, `drainDeadline`, `healthCheck`,
   * `circuitBreaker`
   */
  balancer?: SimulatedOptions
  /**
   * Changes of the list while requests come: each has `at`, and `remove`, `add`, or `change` with `weight`
   * @default []
   */
  changes?: readonly ({
    /** When (ms from the beginning of the traffic) */
    at: number
    /**
     * The name of a backend that leaves the list
     * @default none
     */
    remove?: string
    /** Backends that join it, as in `backends` */
    add?: {
      /** Its name. Default: `backend-1` and so on */
      id?: string
      /**
       * How many there are of it. With more than one, their names are `id` with `-1`, `-2` and so on
       * @default 1
       */
      count?: number
      /**
       * How many requests it serves at once; more wait in its own queue, first come, first served
       * @default 16
       */
      slots?: number
      /** How long requests take once they have a place */
      service?: {
        /**
         * How service times differ: `constant` = not at all, `exponential` = much, `lognormal` and `pareto` = a few
         * take very long
         * @default 'exponential'
         */
        distribution?: 'exponential' | 'constant' | 'lognormal' | 'pareto'
        /**
         * Average service time (ms)
         * @default 10
         */
        mean?: number
        /**
         * `lognormal`: the standard deviation of the logarithm
         * @default 1
         */
        sigma?: number
        /**
         * `pareto`: the tail index; the nearer to 1, the longer the longest
         * @default 2
         */
        shape?: number
        /** `pareto`: the longest service time, as a multiple of the shortest. Default: no limit */
        range?: number
      }
      /**
       * Round trip of the network to it (ms)
       * @default 0
       */
      delay?: number
      /**
       * Its share of the traffic, relative to the others
       * @default 1
       */
      weight?: number
      /**
       * Tier: 0 is used first. A higher tier gets traffic only when no backend of a lower one is healthy, or all of
       * them have failed a request
       * @default 0
       */
      priority?: number
      /** Most requests in flight at once. Default: `pool.connections`, which is also the limit over HTTP/1.1 */
      maxInFlight?: number
      /**
       * Where it runs, e.g. a data centre: for the policy `zones`, and shown in views
       * @default none
       */
      zone?: string
      /**
       * Labels, e.g. `canary` for the policy of that name; shown in views
       * @default none
       */
      tags?: readonly string[]
      /** Regular pauses, e.g. of its garbage collector */
      pauses?: {
        /** From the beginning of one pause to that of the next (ms) */
        every: number
        /** How long a pause lasts (ms) */
        for: number
        /** When the first begins. Default: `every` (ms from the beginning of the traffic) */
        from?: number
      }
      /**
       * Times in which it is slower, e.g. because of others on its machine
       * @default []
       */
      slow?: readonly {
        /** When it begins (ms from the beginning of the traffic) */
        from: number
        /** When it ends. Default: never (ms from the beginning of the traffic) */
        to?: number
        /** How many times as long everything takes */
        factor: number
        /** It comes again after this time, from one beginning to the next. Default: once (ms) */
        every?: number
      }[]
      /**
       * Times in which it does not run: what it had is lost, and connections are refused
       * @default []
       */
      down?: readonly {
        /** When it begins (ms from the beginning of the traffic) */
        from: number
        /** When it ends. Default: never (ms from the beginning of the traffic) */
        to?: number
      }[]
      /** Requests that it answers with an error */
      failures?: {
        /** Share of requests that fail */
        share: number
        /**
         * Their status
         * @default 503
         */
        status?: number
        /**
         * How long they take in place of their service time (ms; 0 = none)
         * @default 1
         */
        after?: number | false
      }
    }
    /**
     * The name of a backend that gets another weight
     * @default none
     */
    change?: string
    /**
     * Its weight from then on
     * @default none
     */
    weight?: number
  })[]
  /**
   * How long requests come (ms)
   * @default 60000
   */
  duration?: number
  /**
   * Nothing is measured before this (ms); less than `duration`
   * @default 5000
   */
  warmUp?: number
  /**
   * What all chance comes from: the same seed, the same results
   * @default 1
   */
  seed?: number
}
