import type { FastifyInstance } from 'fastify'
import { isDeepStrictEqual } from 'node:util'
import type { Balancer } from '../balancer.ts'
import type { Registry } from './registry.ts'

/** The path below which each balancer forwards, where that is a route of its own. */
const places = new WeakMap<Balancer, string>()

/** Whose the place is that this balancer would have, if it is not free. */
function ownerOf(app: FastifyInstance, place: string, { options }: Balancer, balancers: Iterable<Balancer>) {
  const { constraints } = options
  for (const other of balancers)
    if (places.get(other) === place && isDeepStrictEqual(other.options.constraints, constraints))
      return `balancer '${other.name}'`
  return app.hasRoute({ method: 'GET', url: `${place}/*`, constraints }) ? 'a route of your own' : undefined
}

/** What of a new balancer, its name or its prefix, another one has, or a route of the app: one line each. Notes what this one takes. */
export function takenFaults(app: FastifyInstance, balancer: Balancer, { balancers }: Registry): readonly string[] {
  const { name, options } = balancer
  const faults = balancers.has(name)
    ? [`name: '${name}' is already used by another balancer of this server: give each a \`name\` of its own`]
    : []
  if (!options.route) return faults
  const place = `${app.prefix}${options.prefix}`.replace(/\/+$/, '')
  const owner = ownerOf(app, place, balancer, balancers.values())
  if (owner !== undefined)
    faults.push(
      `prefix: '${place === '' ? '/' : place}' is already taken by ${owner}: choose another \`prefix\`, or other \`constraints\``,
    )
  places.set(balancer, place)
  return faults
}
