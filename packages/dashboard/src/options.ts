import { hookFaults, hookList, hooks, hostFaults, hosts, readOptions, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { onRequestHookHandler } from 'fastify'
import { BadOptionsError, UnguardedError } from './errors.ts'
import type { DashboardOptions as Options } from './options.generated.ts'

/** Segments of letters, digits, `.`, `_`, `~` and `-`: nothing that the router, or a browser, reads in another way. */
const plainPath = {
  pattern: '^(/(?!\\.{1,2}(/|$))[\\w.~-]+)+$',
  expected: 'a path such as /ops/page, of letters, digits, `.`, `_`, `~` and `-`',
} as const

/** Everything that `register` takes. The one source of the type, the validation, the defaults and the README's table. */
export const DashboardOptions = Type.Object(
  {
    path: Type.String({ ...plainPath, default: '/_balancer/dashboard', description: 'Where the page is' }),
    admin: Type.String({
      ...plainPath,
      default: '/_balancer',
      description: 'The `prefix` of the admin routes, which the page asks with the credentials of who looks at it',
    }),
    onRequest: hooks<onRequestHookHandler>(
      'Hooks that check who asks, for the page and everything below it: a function, or several',
    ),
    insecure: Type.Boolean({
      default: false,
      description: 'Allow access to the page without authentication. What it shows, the admin routes still guard',
    }),
    hosts: hosts(
      'Host names at which the page answers, besides `localhost` and addresses; others get 403. Checked with `insecure`, and whenever given',
    ),
  },
  strict,
)
/** What `register` takes: everything optional. */
export type DashboardOptions = Options

/** Options with every default in place. */
export interface ParsedOptions {
  readonly path: string
  readonly admin: string
  readonly onRequest: readonly onRequestHookHandler[]
  readonly insecure: boolean
  readonly hosts?: readonly string[]
}

/** What no schema can say. */
function furtherFaults({ path, admin, onRequest, hosts: listed }: Static<typeof DashboardOptions>): string[] {
  const faults = [...hookFaults('onRequest', onRequest), ...hostFaults('hosts', listed)]
  if (path === admin) faults.push('path: expected another path than that of the admin routes')
  return faults
}

const read = (given: DashboardOptions) => readOptions(DashboardOptions, given, furtherFaults)

/** Every fault of the options, one line each; for whoever checks more than these and wants to name all at once. */
export function faultsOfOptions(given: DashboardOptions): readonly string[] {
  return read(given).faults
}

/**
 * The options with every default in place.
 * @throws BadOptionsError naming every fault at once; UnguardedError when there is no hook
 */
export function parseOptions(given: DashboardOptions): ParsedOptions {
  const { options, faults } = read(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  const onRequest = hookList(options.onRequest)
  if (!options.insecure && onRequest.length === 0) throw new UnguardedError()
  return { ...options, onRequest }
}
