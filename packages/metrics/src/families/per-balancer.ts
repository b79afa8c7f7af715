import type { Balancer } from '@fastify-balancer/balancer-core'
import type { Distribution } from '../traffic/distribution.ts'
import type { Traffic } from '../traffic/traffic.ts'
import { partsOf, samplesOf, type FamilyOptions, type Kind, type Labels, type Sample } from './family.ts'
import type { Sources } from './sources.ts'

/** What is read of one balancer. */
type Reader<Answer> = (balancer: Balancer, traffic: Traffic) => Answer

/** A line with further labels, beside `balancer`. */
export type Line = readonly [labels: Labels, value: number]

/** Makes definitions of metrics with the label `balancer`. */
export class PerBalancer {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** One line for each balancer. */
  single(kind: Kind, name: string, help: string, read: Reader<number>): FamilyOptions {
    return this.several(kind, name, help, (balancer, traffic) => [[{}, read(balancer, traffic)]])
  }

  /** Several lines for each balancer, with further labels. */
  several(kind: Kind, name: string, help: string, read: Reader<Iterable<Line>>): FamilyOptions {
    const samples = function* samples(balancer: Balancer, traffic: Traffic): Generator<Sample> {
      for (const [labels, value] of read(balancer, traffic))
        yield { labels: { balancer: balancer.name, ...labels }, value }
    }
    return { ...partsOf(kind), name, help, read: () => this.#each(samples) }
  }

  histogram(name: string, help: string, choose: (traffic: Traffic) => Distribution): FamilyOptions {
    const samples: Reader<Iterable<Sample>> = ({ name: balancer }, traffic) =>
      samplesOf(name, { balancer }, choose(traffic))
    return { type: 'histogram', name, help, read: () => this.#each(samples) }
  }

  *#each(read: Reader<Iterable<Sample>>): Generator<Sample> {
    for (const balancer of this.#sources.balancers) yield* read(balancer, this.#sources.trafficOf(balancer))
  }
}
