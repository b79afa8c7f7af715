import type { FamilyOptions, Labels, Sample } from './family.ts'
import type { MirrorCounts, Sources } from './sources.ts'

/** A line for each of these counts. */
function linesOf(counts: Readonly<Record<string, number>>, label: string, labels: Labels): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: { ...labels, [label]: name }, value }))
}

/** What has become of copies, for each server that gets some, if that plugin is registered. */
export function mirrorFamilies(sources: Sources): readonly FamilyOptions[] {
  function* read(lines: (counts: MirrorCounts, labels: Labels) => Iterable<Sample>): Generator<Sample> {
    for (const balancer of sources.balancers) {
      for (const counts of sources.mirrorsOf(balancer))
        yield* lines(counts, { balancer: balancer.name, mirror: counts.url })
    }
  }
  return [
    {
      type: 'counter',
      name: 'fastify_balancer_mirror_sent_total',
      help: 'Copies of requests that were sent to the mirror, those in progress included',
      read: () => read(({ sent }, labels) => [{ labels, value: sent }]),
    },
    {
      type: 'counter',
      name: 'fastify_balancer_mirror_dropped_total',
      help: 'Requests that were to be mirrored and were not, by reason',
      read: () => read(({ dropped }, labels) => linesOf(dropped, 'reason', labels)),
    },
    {
      type: 'counter',
      name: 'fastify_balancer_mirror_outcomes_total',
      help: 'Ended copies, by outcome',
      read: () => read(({ outcomes }, labels) => linesOf(outcomes, 'outcome', labels)),
    },
    {
      type: 'gauge',
      name: 'fastify_balancer_mirror_in_flight',
      help: 'Copies in progress',
      read: () => read(({ inFlight }, labels) => [{ labels, value: inFlight }]),
    },
  ]
}
