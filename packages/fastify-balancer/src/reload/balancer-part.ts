import type { Balancer, PreparedChange, PreviewedBackend } from '@fastify-balancer/balancer-core'
import type { BalancerConfiguration } from '../configuration/configuration.ts'
import { pluginOptions } from '../plugin/options.ts'
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

/** The name of a policy, as an option gives it or as settings hold it. */
const nameOf = (policy: unknown) => (typeof policy === 'string' ? policy : (policy as { readonly name: string }).name)

/** What `policy` was, and whether `sticky` was on: both are one policy to the core. */
function before(balancer: Balancer): { readonly policy: string; readonly sticky: boolean } {
  const { name, settings } = balancer.options.policy
  return name === 'sticky' ? { policy: nameOf(settings!['policy']), sticky: true } : { policy: name, sticky: false }
}

/** A change of the policy that `sticky` makes of `policy`, told as one of these options, or as both. */
function asOptions(change: ToldChange, was: ReturnType<typeof before>, is: typeof was): readonly ToldChange[] {
  const { option } = change
  if (was.sticky !== is.sticky) {
    if (option !== 'policy') return [change]
    const switched = { option: 'sticky', from: was.sticky, to: is.sticky }
    return was.policy === is.policy ? [switched] : [switched, { option: 'policy', from: was.policy, to: is.policy }]
  }
  if (!is.sticky) return [change]
  const isWithin = /^policy\.policy\b/.test(option)
  return [{ ...change, option: isWithin ? option.slice('policy.'.length) : option.replace(/^policy\./, 'sticky.') }]
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
  const { core, sticky, healthCheck, circuitBreaker, adaptiveLimit, mirror } = pluginOptions(configuration)
  const beside = {
    'health-check': healthCheck,
    'circuit-breaker': circuitBreaker,
    'adaptive-limit': adaptiveLimit,
    mirror,
  }
  const place = `balancers.${balancer.name}`
  const was = before(balancer)
  const is = { policy: nameOf(core.policy ?? 'round-robin'), sticky: sticky !== false }
  let change: PreparedChange
  try {
    change = await balancer.prepare(withSticky(core, sticky), { force, beside })
  } catch (error) {
    return { ...unchanged, faults: [{ pointer: `/balancers/${index}`, message: (error as Error).message }] }
  }
  const below = <One extends { readonly option: string }>(one: One): One => ({
    ...one,
    option: `${place}.${one.option}`,
  })
  return {
    faults: change.faults.map((fault) => faultAt(`/balancers/${index}`, fault)),
    changes: [...backendChanges(change.backends), ...change.changes.flatMap((one) => asOptions(one, was, is))].map(
      below,
    ),
    cannot: change.cannot.map(below),
    commit: () => change.commit(),
    abandon: () => change.abandon(),
  }
}

const balancerName = ({ name = 'default' }: BalancerConfiguration) => name

/** Balancers that come or go: their routes are registered when the app starts. */
export function balancersPart(running: ReadonlyMap<string, Balancer>, wanted: readonly BalancerConfiguration[]): Part {
  const names = new Set(wanted.map(balancerName))
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
