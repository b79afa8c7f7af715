import { code, milliseconds, readOptions, shownKind, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { BadOptionsError } from './errors.ts'
import type { FleetOptions as Options } from './options.generated.ts'
import type { Store } from './store/store.ts'

/** Everything that `register` takes. The one source of type, validation, defaults and the README's table. */
export const FleetOptions = Type.Object(
  {
    store: code<Store>(
      'Where the instances share what must be one, a `Store`. Default: the parent process, if it is one of ours',
    ),
    id: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Name of this instance, unlike all others. Default: host and process id',
      }),
    ),
    heartbeat: milliseconds(
      'How often an instance says that it is there; it is forgotten after five times that',
      1000,
      10,
    ),
    divideLimits: Type.Boolean({
      default: true,
      description:
        '`maxInFlight` and adaptive limits say what a backend can take of all instances together: each gets its share, and more if others need less. `false`: each instance may have as many in flight as if it were alone',
    }),
  },
  strict,
)
/** What `register` takes; everything is optional. */
export type FleetOptions = Options

/** Options with every default in place. */
export type ParsedOptions = Readonly<Static<typeof FleetOptions>>

const methods = [
  'read',
  'list',
  'compareAndSet',
  'watch',
  'announce',
  'withdraw',
  'watchInstances',
  'publish',
  'subscribe',
  'close',
] as const

function storeFaults({ store }: ParsedOptions): readonly string[] {
  if (store === undefined) return []
  const missing = methods.find((name) => typeof (store as Partial<Store> | null)?.[name] !== 'function')
  if (missing === undefined) return []
  return [`store: expected an object with a method ${missing}, got ${shownKind(store)}`]
}

const reading = (given: FleetOptions) => readOptions(FleetOptions, given, storeFaults)

/** Every fault of the options, one line each; for a caller that validates more than these. */
export function faultsOfOptions(given: FleetOptions): readonly string[] {
  return reading(given).faults
}

/**
 * Fills in defaults, in a copy, and checks everything.
 * @throws BadOptionsError naming every fault at once
 */
export function parseOptions(given: FleetOptions): ParsedOptions {
  const { options, faults } = reading(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  return options
}
