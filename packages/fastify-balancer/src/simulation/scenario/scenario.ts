// Room `simulation/scenario`: what is to be simulated: options, what is wrong with them, and what they mean.
import { faultsOf, withDefaults, withoutSecrets } from '@fastify-balancer/option-schema'
import { BadOptionsError } from '@fastify-balancer/balancer-core'
import { faultsOfRegister, type BalancerOptions } from '../../plugin/options.ts'
import { withoutTrue } from '../../configuration/file-faults.ts'
import { isPlain } from '../../configuration/schema/applied.ts'
import type { BackendInScenario } from './backend-in-scenario.ts'
import { nameOf } from './policy-names.ts'
import { SimulationOptions, type ParsedScenario } from './scenario-schema.ts'
import type { ChosenPolicy } from './simulated-options.ts'

export type { KeyOptions } from './scenario-schema.ts'

/** One server, with its name, and that of those that are alike. */
export type ScenarioBackend = Omit<BackendInScenario, 'id' | 'count'> & { readonly id: string; readonly kind: string }

/** A change of the list, at a time of the scenario in ms. */
export type ScenarioChange =
  | { readonly at: number; readonly kind: 'remove'; readonly id: string }
  | { readonly at: number; readonly kind: 'add'; readonly backends: readonly ScenarioBackend[] }
  | { readonly at: number; readonly kind: 'weight'; readonly id: string; readonly weight: number }

/** What is to be simulated, with everything in place. */
export interface Scenario {
  readonly backends: readonly ScenarioBackend[]
  readonly policies: readonly ChosenPolicy[]
  readonly arrivals: ParsedScenario['arrivals']
  readonly keys: ParsedScenario['keys']
  readonly balancer: BalancerOptions
  readonly changes: readonly ScenarioChange[]
  readonly duration: number
  readonly warmUp: number
  readonly seed: number
}

/** A fault and where it is: `backends.0.slots`. */
export interface ScenarioFault {
  readonly place: string
  readonly message: string
}

/** Those that a backend of a scenario stands for. */
function serversOf({ id, count, ...options }: BackendInScenario, index: number): readonly ScenarioBackend[] {
  const name = id ?? `backend-${index + 1}`
  if (count === 1) return [{ ...options, id: name, kind: name }]
  return Array.from({ length: count }, (_, number) => ({ ...options, id: `${name}-${number + 1}`, kind: name }))
}

/** Those that a change adds. Without a name, they are numbered after the ones of the beginning. */
function newcomersOf({ backends, changes }: ParsedScenario, index: number): readonly ScenarioBackend[] {
  const { add } = changes[index]!
  return add === undefined ? [] : serversOf(add, backends.length + index)
}

function changeOf(options: ParsedScenario, index: number): ScenarioChange {
  const { at, remove, add, change, weight } = options.changes[index]!
  if (remove !== undefined) return { at, kind: 'remove', id: remove }
  if (add === undefined) return { at, kind: 'weight', id: change!, weight: weight! }
  return { at, kind: 'add', backends: newcomersOf(options, index) }
}

function* arrivalFaults({ arrivals, duration, warmUp }: ParsedScenario): Generator<ScenarioFault> {
  const { rate, clients } = arrivals
  if ((rate === undefined) === (clients === undefined))
    yield { place: 'arrivals', message: 'expected `rate` (an open loop) or `clients` (a closed one), and not both' }
  if (warmUp >= duration) yield { place: 'warmUp', message: `must be less than duration, which is ${duration}` }
}

function* spellFaults(backends: readonly BackendInScenario[]): Generator<ScenarioFault> {
  for (const [index, { pauses, slow, down }] of backends.entries()) {
    const place = `backends.${index}`
    if (pauses !== undefined && pauses.for >= pauses.every)
      yield { place: `${place}.pauses.for`, message: `must be less than every, which is ${pauses.every}` }
    for (const [name, spells] of Object.entries({ slow, down }))
      for (const [number, { from, to }] of spells.entries())
        if (to !== undefined && to <= from)
          yield { place: `${place}.${name}.${number}.to`, message: `must be later than from, which is ${from}` }
    for (const [number, { from, to, every }] of slow.entries())
      if (every !== undefined && (to === undefined || to - from > every))
        yield { place: `${place}.slow.${number}.every`, message: 'must be at least as long as from `from` to `to`' }
  }
}

/** Names of backends: each stands for one, and changes concern those that are in the list at that time. */
function* nameFaults(options: ParsedScenario): Generator<ScenarioFault> {
  const { backends, changes } = options
  const listed = new Set<string>()
  for (const [index, backend] of backends.entries())
    for (const { id } of serversOf(backend, index)) {
      if (listed.has(id)) yield { place: `backends.${index}.id`, message: `'${id}' is the name of another backend` }
      listed.add(id)
    }
  for (const [index, { at, remove, add, change: changed, weight }] of inTime(changes)) {
    const place = `changes.${index}`
    if ([remove, add, changed].filter((one) => one !== undefined).length !== 1)
      yield { place, message: 'expected one of `remove`, `add` and `change`' }
    else if ((changed === undefined) !== (weight === undefined))
      yield { place, message: '`change` and `weight` belong together' }
    if (add !== undefined)
      for (const { id } of newcomersOf(options, index)) {
        if (listed.has(id)) yield { place: `${place}.add`, message: `there is a backend '${id}' at ${at} ms` }
        listed.add(id)
      }
    const [name, id] = remove === undefined ? ['change', changed] : ['remove', remove]
    if (id !== undefined && !listed.has(id))
      yield { place: `${place}.${name}`, message: `there is no backend '${id}' at ${at} ms` }
    if (remove !== undefined) listed.delete(remove)
  }
}

/** Changes with their places in the list, the earliest first. */
function inTime(changes: ParsedScenario['changes']) {
  return [...changes.entries()].toSorted(([, one], [, other]) => one.at - other.at)
}

/** The place of what a policy is, in the options. */
const placesOf = ({ policies }: ParsedScenario) =>
  policies === undefined ? ['policy'] : policies.map((_, index) => `policies.${index}`)

const chosen = ({ policy = 'round-robin', policies = [policy] }: ParsedScenario) => policies

function* registerFaults(options: ParsedScenario): Generator<ScenarioFault> {
  const balancer = withoutTrue(options.balancer) as BalancerOptions
  const { queue = {} } = options.balancer as {
    readonly queue?: { readonly priority?: { readonly classes?: readonly string[] } }
  }
  for (const fault of faultsOfRegister(balancer)) yield placed(`balancer.${fault}`)
  if (options.policy !== undefined && options.policies !== undefined)
    yield { place: 'policies', message: 'expected `policy` or `policies`, and not both' }
  if ((queue.priority?.classes ?? []).length > 0)
    yield { place: 'balancer.queue.priority', message: 'cannot be simulated: simulated requests have no classes' }
  for (const [index, policy] of chosen(options).entries()) {
    const place = placesOf(options)[index]!
    if (nameOf(policy) === 'sticky')
      yield { place, message: 'sticky cannot be simulated: simulated clients keep no cookies' }
    for (const fault of faultsOfRegister({ policy } as BalancerOptions)) yield placed(fault.replace(/^policy/, place))
  }
}

function placed(fault: string): ScenarioFault {
  const [, place = '', message = fault] = /^([^\s:]+): (.*)$/s.exec(fault) ?? []
  return { place, message }
}

/** What no schema can check: called once that is satisfied. */
export function furtherFaults(options: ParsedScenario): readonly ScenarioFault[] {
  return [
    ...arrivalFaults(options),
    ...spellFaults(options.backends),
    ...nameFaults(options),
    ...registerFaults(options),
  ]
}

/** The scenario that options mean, which are valid. */
export function scenarioOf(options: ParsedScenario): Scenario {
  const { backends, arrivals, keys, changes, duration, warmUp, seed } = options
  return {
    backends: backends.flatMap(serversOf),
    policies: chosen(options),
    arrivals,
    keys,
    balancer: withoutTrue(options.balancer),
    changes: changes.map((_, index) => changeOf(options, index)),
    duration,
    warmUp,
    seed,
  }
}

/** Options with every default in place. Policies stay what they are: one of your own may be an object with a state. */
export function withScenarioDefaults(given: unknown): ParsedScenario {
  if (!isPlain(given)) return withDefaults(SimulationOptions, given)
  const { policy, policies, ...others } = given as Partial<ParsedScenario>
  return {
    ...withDefaults(SimulationOptions, others),
    ...(policy !== undefined && { policy }),
    ...(policies !== undefined && { policies }),
  }
}

/** Reads the options of `simulate`. @throws BadOptionsError naming every fault */
export function readScenario(given: unknown): Scenario {
  const options = withScenarioDefaults(given ?? {})
  const own = faultsOf(SimulationOptions, options)
  const further = own.length > 0 ? [] : furtherFaults(options)
  const faults = [...own, ...further.map(({ place, message }) => (place === '' ? message : `${place}: ${message}`))]
  if (faults.length > 0) throw new BadOptionsError(faults.map(withoutSecrets).join('; '))
  return scenarioOf(options)
}
