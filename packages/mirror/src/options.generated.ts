// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
/** Which requests are copied, and where to: everything but `to` is optional. */
export interface MirrorSettings {
  /** Servers that get the copies: addresses such as `http://10.0.0.9:3000`. Each gets every copy */
  to: readonly string[]
  /**
   * Share of the requests that is mirrored, picked at random (0–1)
   * @default 1
   */
  share?: number
  /**
   * Methods that are mirrored. Add others, such as POST, only if the mirror has data of its own: otherwise each copy
   * takes effect once more
   * @default ["GET", "HEAD", "OPTIONS"]
   */
  methods?: readonly string[]
  /**
   * Longest request body that is mirrored (bytes). Longer ones, and those of unknown length, are not
   * @default 65536
   */
  maxBody?: number
  /**
   * How many copies may be in progress at once, for each server; further ones are dropped
   * @default 64
   */
  maxInFlight?: number
  /**
   * A response is read up to this many bytes, and discarded; the connection of a longer one is closed
   * @default 1048576
   */
  maxResponse?: number
  /** Time limits of a copy */
  timeouts?: {
    /**
     * Time limit for opening a connection to the mirror (ms)
     * @default 2000
     */
    connect?: number
    /**
     * Time limit for a copy, from its start to the end of the response (ms)
     * @default 10000
     */
    request?: number
  }
}

/** What `register` takes: everything but `to` is optional. */
export interface MirrorOptions extends MirrorSettings {
  /** Name of the balancer. Default: the one called `default`, or the only one */
  balancer?: string
}
