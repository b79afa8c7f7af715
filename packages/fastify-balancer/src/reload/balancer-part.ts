import type { Balancer, PreparedChange, PreviewedBackend } from '@fastify-balancer/balancer-core'
import type { BalancerConfiguration } from '../configuration/configuration.ts'
import { withSticky } from '../plugin/sticky-option.ts'
import { unchanged, type Part, type PartFault, type ToldChange } from './part.ts'

/** The backends of a change, one by one. */
function backendChanges({ added, removed, changed, overridden }: PreparedChange['backends']): readonly ToldChange[] {
  const byHand = new Set(overridden)
  const told = (id: string, name: string, from: unknown, to: unknown): ToldChange => ({
    option: `backends.${id}${name}`,
    from,
    to,
    ...(byHand.has(id) && { overrides: true }),
  })
  return [
    ...added.map((id) => told(id, '', undefined, 'added')),
    ...removed.map((id) => told(id, '', 'removed', undefined)),
    ...changed.flatMap(({ id, from, to }) =>
      (['url', 'weight', 'priority', 'maxInFlight', 'zone', 'tags', 'protocol', 'proxyProtocol'] as const)
        .filter((name) => textOf(from, name) !== textOf(to, name))
        .map((name) => told(id, `.${name}`, from[name], to[name])),
    ),
  ]
}

const textOf = (backend: PreviewedBackend, name: keyof PreviewedBackend) => JSON.stringify(backend[name])

/** A change of the policy that `sticky` makes of `policy`, told as one of these two options. */
function asOption(change: ToldChange): ToldChange {
  const { option, from, to } = change
  if (option === 'policy') return from === to ? change : { option: 'sticky', from: undefined, to: 'added' }
  const isWithin = /^policy\.policy\b/.test(option)
  return { ...change, option: isWithin ? option.slice('policy.'.length) : option.replace(/^policy\./, 'sticky.') }
}

/** A fault begins with the option that it is about, where it has one. */
function faultAt(place: string, fault: string): PartFault {
  const [, option, message] = /^([\w-]+(?:\.[\w-]+)*): (.*)$/s.exec(fault) ?? []
  if (option === undefined) return { pointer: place, message: fault }
  return { pointer: `${place}/${option.replaceAll('.', '/')}`, message: message! }
}

/** What one balancer's part of a file changes; `index` is where it stands there. */
export async function balancerPart(
  balancer: Balancer,
  configuration: BalancerConfiguration,
  index: number,
  force: boolean,
): Promise<Part> {
  const { healthCheck = {}, circuitBreaker = {}, mirror = false, sticky = false, ...options } = configuration
  const beside = { 'health-check': healthCheck, 'circuit-breaker': circuitBreaker, mirror }
  const place = `balancers.${balancer.name}`
  let change: PreparedChange
  try {
    change = await balancer.prepare(withSticky(options, sticky), { force, beside })
  } catch (error) {
    return { ...unchanged, faults: [{ pointer: `/balancers/${index}`, message: (error as Error).message }] }
  }
  const below = <One extends { readonly option: string }>(one: One): One => ({
    ...one,
    option: `${place}.${one.option}`,
  })
  return {
    faults: change.faults.map((fault) => faultAt(`/balancers/${index}`, fault)),
    changes: [
      ...backendChanges(change.backends),
      ...(sticky === false ? change.changes : change.changes.map(asOption)),
    ].map(below),
    cannot: change.cannot.map(below),
    commit: () => change.commit(),
    abandon: () => change.abandon(),
  }
}

const nameOf = ({ name = 'default' }: BalancerConfiguration) => name

/** Balancers that come or go: their routes are registered when the app starts. */
export function balancersPart(running: ReadonlyMap<string, Balancer>, wanted: readonly BalancerConfiguration[]): Part {
  const names = new Set(wanted.map(nameOf))
  const why = 'routes are registered when the app starts'
  return {
    ...unchanged,
    cannot: [
      ...[...names]
        .filter((name) => !running.has(name))
        .map((name) => ({ option: `balancers.${name}`, from: undefined, to: 'added', why })),
      ...[...running.keys()]
        .filter((name) => !names.has(name))
        .map((name) => ({ option: `balancers.${name}`, from: 'removed', to: undefined, why })),
    ],
  }
}
