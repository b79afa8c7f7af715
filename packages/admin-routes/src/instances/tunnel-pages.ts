import type { Balancer } from '@fastify-balancer/balancer-core'
import type { Static } from '@sinclair/typebox'
import type { TunnelsView, TunnelView } from '../schemas/tunnel-views.ts'

type Tunnel = Static<typeof TunnelView>

/** Which tunnels are asked for; `after` is the place of the last one of the page before. */
export interface PageQuestion {
  readonly balancer: string
  readonly backend?: string | undefined
  readonly after?: string | undefined
  readonly limit: number
}

/** A page of the tunnels of one instance, and how many there are behind its beginning. */
export interface ToldTunnels {
  readonly total: number
  readonly rest: number
  readonly tunnels: readonly Tunnel[]
}

/** The parts of the id of a tunnel: `7`, or of one of several instances `7@host:pid`. */
export function placeOfTunnel(id: string): { readonly number: string; readonly instance: string | undefined } {
  const at = id.indexOf('@')
  return at === -1 ? { number: id, instance: undefined } : { number: id.slice(0, at), instance: id.slice(at + 1) }
}

/** Ids rise with time in each instance. */
function isAfter(one: string, other: string): boolean {
  const [own, theirs] = [placeOfTunnel(one), placeOfTunnel(other)]
  const difference = Number(own.number) - Number(theirs.number)
  return difference > 0 || (difference === 0 && (own.instance ?? '') > (theirs.instance ?? ''))
}

/** A tunnel as it is told; `instance` is given if there are several. */
export function tunnelView(tunnel: Tunnel, instance: string | undefined): Tunnel {
  return instance === undefined ? tunnel : { ...tunnel, id: `${tunnel.id}@${instance}`, instance }
}

/** A page of the tunnels of this instance. */
export function ownTunnels(
  { tunnels }: Pick<Balancer, 'tunnels'>,
  { backend, after, limit }: PageQuestion,
  instance: string | undefined,
): ToldTunnels {
  const all = [...tunnels].filter(({ purpose }) => backend === undefined || purpose.backend.id === backend)
  const idOf = (id: string) => (instance === undefined ? id : `${id}@${instance}`)
  const rest = after === undefined ? all : all.filter(({ purpose }) => isAfter(idOf(purpose.id), after))
  const page = rest.slice(0, limit)
  return { total: all.length, rest: rest.length, tunnels: page.map((one) => tunnelView(one.toJSON(), instance)) }
}

/** A page of the tunnels of all instances. */
export function mergedTunnels(all: readonly ToldTunnels[], limit: number): Static<typeof TunnelsView> {
  const sum = (of: (told: ToldTunnels) => number) => all.reduce((total, one) => total + of(one), 0)
  const sorted = all
    .flatMap(({ tunnels }) => tunnels)
    .toSorted(({ id: one }, { id: other }) => (one === other ? 0 : isAfter(one, other) ? 1 : -1))
  const page = sorted.slice(0, limit)
  return {
    total: sum(({ total }) => total),
    tunnels: page,
    ...(sum(({ rest }) => rest) > limit && { next: page.at(-1)!.id }),
  }
}
