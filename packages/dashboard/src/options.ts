import { hookFaults, hookList, hooks, hostFaults, hosts, readOptions, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { onRequestHookHandler } from 'fastify'
import { BadOptionsError, UnguardedError } from './errors.ts'
import type { DashboardOptions as Options } from './options.generated.ts'

/** Segments of letters, digits, `.`, `_`, `~` and `-`, which router and browser read alike. */
const plainPath = {
  pattern: '^(/(?!\\.{1,2}(/|$))[\\w.~-]+)+$',
  expected: 'a path such as /ops/page, of letters, digits, `.`, `_`, `~` and `-`',
} as const

/** Everything that `register` takes. The only source of the type, the validation, the defaults and the README's table. */
export const DashboardOptions = Type.Object(
  {
    path: Type.String({ ...plainPath, default: '/_balancer/dashboard', description: 'Path of the page' }),
    admin: Type.String({
      ...plainPath,
      default: '/_balancer',
      description: 'The `prefix` of the admin routes. The page calls them with the credentials of its viewer',
    }),
    onRequest: hooks<onRequestHookHandler>(
      'Hooks that authenticate requests for the page and all its files: a function, or an array of functions',
    ),
    insecure: Type.Boolean({
      default: false,
      description:
        'Allow access to the page without authentication. Its data comes from the admin routes, which keep their own hooks',
    }),
    hosts: hosts(
      'Allowed values of `Host` besides `localhost` and IP addresses; others get 403, against DNS rebinding. Checked if given, and always with `insecure`',
    ),
  },
  strict,
)
/** What `register` takes; everything is optional. */
export type DashboardOptions = Options

/** The options with all defaults filled in. */
export interface ParsedOptions {
  readonly path: string
  readonly admin: string
  readonly onRequest: readonly onRequestHookHandler[]
  readonly insecure: boolean
  readonly hosts?: readonly string[]
}

/** Faults that the schema cannot express. */
function furtherFaults({ path, admin, onRequest, hosts: listed }: Static<typeof DashboardOptions>): string[] {
  const faults = [...hookFaults('onRequest', onRequest), ...hostFaults('hosts', listed)]
  if (path === admin) faults.push('path: must differ from the prefix of the admin routes')
  return faults
}

const read = (given: DashboardOptions) => readOptions(DashboardOptions, given, furtherFaults)

/** Every fault of the options, one line each. For a caller that reports them together with others. */
export function faultsOfOptions(given: DashboardOptions): readonly string[] {
  return read(given).faults
}

/**
 * The options with all defaults filled in.
 * @throws BadOptionsError naming every fault at once; UnguardedError when there is no hook
 */
export function parseOptions(given: DashboardOptions): ParsedOptions {
  const { options, faults } = read(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  const onRequest = hookList(options.onRequest)
  if (!options.insecure && onRequest.length === 0) throw new UnguardedError()
  return { ...options, onRequest }
}
