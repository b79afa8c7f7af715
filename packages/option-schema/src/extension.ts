/** A balancer, as far as another plugin keeps something beside it. */
interface Extended {
  readonly name: string
  /** What plugins keep beside it, by their names. */
  readonly extensions: Map<string, unknown>
}

/** An app that has balancers, as far as it is needed to find one and to be decorated. */
interface AppWithBalancers<Balancer> {
  /** The default one, or the only one. */
  readonly balancer: Balancer
  readonly balancers: ReadonlyMap<string, Balancer>
  hasDecorator(name: string): boolean
  decorate(name: string, value: { getter(): unknown }): unknown
}

/** How an extension of balancers is called, and what is thrown about it. */
export interface ExtensionNames {
  /** Among the extensions of a balancer: `health-check`. */
  readonly key: string
  /** In a sentence: `health check`. */
  readonly words: string
  /** The decorator for that of the default or only balancer: `healthCheck`. */
  readonly one: string
  /** The decorator for all, by the names of their balancers: `healthChecks`. */
  readonly all: string
  /** What is thrown at boot, about the option `balancer`. */
  readonly badOptions: (fault: string) => Error
  /** What is thrown where the default balancer has none. */
  readonly none: (balancer: string) => Error
}

/**
 * What a plugin adds to a balancer: found by the option `balancer` of that plugin, kept beside the balancer, and read from
 * the app. The same for all such plugins, so that they behave alike where there are several balancers.
 */
export class Extension<Part> {
  readonly #names: ExtensionNames

  constructor(names: ExtensionNames) {
    this.#names = names
  }

  /**
   * The balancer that the option `balancer` names, or else the default or only one.
   * @throws `badOptions` where there is none of that name, or where it has this extension; the balancer plugin's own error
   * when there are several, and none is named
   */
  balancerFor<Balancer extends Extended>(app: AppWithBalancers<Balancer>, name: string | undefined): Balancer {
    const { badOptions, words } = this.#names
    const balancer = name === undefined ? app.balancer : app.balancers.get(name)
    if (balancer === undefined)
      throw badOptions(`balancer: there is no balancer '${name}', only: ${[...app.balancers.keys()].join(', ')}`)
    if (this.of(balancer) !== undefined) throw badOptions(`balancer: '${balancer.name}' already has a ${words}`)
    return balancer
  }

  /** Keeps it beside its balancer, and decorates the app, the first time. */
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

  /** That of one balancer, if it has one. */
  of({ extensions }: Extended): Part | undefined {
    return extensions.get(this.#names.key) as Part | undefined
  }
}
