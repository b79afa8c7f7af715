/** A balancer, as far as other plugins need it here. */
interface Extended {
  readonly name: string
  /** Objects of other plugins, by plugin name. */
  readonly extensions: Map<string, unknown>
}

/** An app with balancers, as far as it is needed here. */
interface AppWithBalancers<Balancer> {
  /** The default one, or the only one. */
  readonly balancer: Balancer
  readonly balancers: ReadonlyMap<string, Balancer>
  hasDecorator(name: string): boolean
  decorate(name: string, value: { getter(): unknown }): unknown
}

/** Names and errors of an extension. */
export interface ExtensionNames {
  /** Key in `balancer.extensions`: `health-check`. */
  readonly key: string
  /** In sentences: `health check`. */
  readonly words: string
  /** The decorator for that of the default or only balancer: `healthCheck`. */
  readonly one: string
  /** The decorator for all, by the names of their balancers: `healthChecks`. */
  readonly all: string
  /** Error for the option `balancer`, at boot. */
  readonly badOptions: (fault: string) => Error
  /** Error if the default balancer has none. */
  readonly none: (balancer: string) => Error
}

/**
 * The part of a plugin that belongs to a balancer: chosen by the plugin's option `balancer`, kept in
 * `balancer.extensions`, and available on the app. The same for all such plugins, so that they behave alike with
 * several balancers.
 */
export class Extension<Part> {
  readonly #names: ExtensionNames

  constructor(names: ExtensionNames) {
    this.#names = names
  }

  /**
   * The balancer named by the option `balancer`, or else the default or only one.
   * @throws `badOptions` where there is none of that name, or where it has this extension; the balancer plugin's own
   * error when there are several, and none is named
   */
  balancerFor<Balancer extends Extended>(app: AppWithBalancers<Balancer>, name: string | undefined): Balancer {
    const { badOptions, words } = this.#names
    const balancer = name === undefined ? app.balancer : app.balancers.get(name)
    if (balancer === undefined)
      throw badOptions(`balancer: there is no balancer '${name}', only: ${[...app.balancers.keys()].join(', ')}`)
    if (this.of(balancer) !== undefined) throw badOptions(`balancer: '${balancer.name}' already has a ${words}`)
    return balancer
  }

  /** Stores it in `balancer.extensions`, and decorates the app once. */
  add(app: AppWithBalancers<Extended>, balancer: Extended, part: Part): void {
    const { key, one, all, none } = this.#names
    balancer.extensions.set(key, part)
    if (app.hasDecorator(all)) return
    const of = (extended: Extended) => this.of(extended)
    app.decorate(all, {
      getter(this: typeof app) {
        const parts = [...this.balancers].map(([name, extended]) => [name, of(extended)] as const)
        return new Map(parts.filter((entry) => entry[1] !== undefined))
      },
    })
    app.decorate(one, {
      getter(this: typeof app) {
        const own = of(this.balancer)
        if (own === undefined) throw none(this.balancer.name)
        return own
      },
    })
  }

  /** The extension of one balancer, if it has one. */
  of({ extensions }: Extended): Part | undefined {
    return extensions.get(this.#names.key) as Part | undefined
  }
}
