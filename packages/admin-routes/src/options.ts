import {
  code,
  functionFaults,
  hookFaults,
  hookList,
  hooks,
  hostFaults,
  hosts,
  quoted,
  readOptions,
  strict,
} from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { FastifyRequest, onRequestHookHandler, preHandlerHookHandler } from 'fastify'
import { allowFault } from './changes/allow-list.ts'
import { BadOptionsError, UnguardedError } from './errors.ts'
import { EventsOptions } from './events/options.ts'
import type { AdminRoutesOptions as Options } from './options.generated.ts'
import type { Reload } from './reload/reload-report.ts'

const guardsOn = (who: string) => ({
  onRequest: hooks<onRequestHookHandler>(`Hooks that check who ${who}`),
  preHandler: hooks<preHandlerHookHandler>('Like `onRequest`, but after the body is parsed'),
})

const role = (purpose: string) =>
  Type.Object(guardsOn(`asks to ${purpose} (besides those above)`), {
    ...strict,
    default: {},
    description: `Who may ${purpose}`,
  })

/** Everything that `register` takes. The one source of the type, the validation, the defaults and the README's table. */
export const AdminRoutesOptions = Type.Object(
  {
    prefix: Type.String({
      pattern: '^/.*[^/]$',
      expected: "a path that begins with '/' and does not end with it",
      default: '/_balancer',
      description: 'Where the routes are; the balancer forwards nothing that is below it',
    }),
    ...guardsOn('asks, before anything of the request is read: a function, or several'),
    read: role('look'),
    operate: role('change something'),
    insecure: Type.Boolean({ default: false, description: 'Allow access without authentication' }),
    hosts: hosts(
      'Host names at which the routes answer, e.g. `ops.example`, besides `localhost` and addresses; others get 403 (DNS rebinding). Checked with `insecure`, and whenever given: give it (`[]` will do) if your hooks only look at addresses',
    ),
    openProbes: Type.Boolean({
      default: false,
      description: '`/ready` and `/live` answer without hooks, for an orchestrator that cannot sign in',
    }),
    allow: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'Backends that may be added: networks (`10.0.0.0/8`) and hosts (`*.internal`, `10.0.0.1:3000`, `https://api.internal`, which is port 443 alone); anything, if not given',
      }),
    ),
    origins: Type.Array(Type.String(), {
      default: [],
      description: 'Other origins whose pages may change something, e.g. `https://ops.example`',
    }),
    user: code<(request: FastifyRequest) => string | undefined>(
      'Who it was, for the audit; `id`, `name`, `username` or `sub` of `request.user` if not given',
    ),
    reload: code<Reload>(
      '`async ({ dryRun, force, who }) => report`: reads the configuration again, for `POST /reload`; given by the command that runs a file',
    ),
    events: Type.Object(EventsOptions.properties, { ...strict, default: {}, description: 'The stream of events' }),
    persist: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'A file that keeps lists and states that were changed here, so that they survive a restart',
      }),
    ),
    bodyLimit: Type.Integer({ minimum: 1, default: 1_048_576, description: 'A body may have so many bytes' }),
  },
  strict,
)
/** What `register` takes: everything optional. */
export type AdminRoutesOptions = Options

/** Options with every default in place. */
export type ParsedOptions = Static<typeof AdminRoutesOptions>

/** What checks who asks, in the order in which it is asked. */
export interface Guards {
  readonly onRequest: readonly onRequestHookHandler[]
  readonly preHandler: readonly preHandlerHookHandler[]
}

/** The hooks of the options, or of one role of theirs. */
export function guardsOf({ onRequest, preHandler }: Pick<ParsedOptions, 'onRequest' | 'preHandler'>): Guards {
  return { onRequest: hookList(onRequest), preHandler: hookList(preHandler) }
}

function has({ onRequest, preHandler }: Guards): boolean {
  return onRequest.length + preHandler.length > 0
}

function guardFaults({ onRequest, preHandler }: Pick<ParsedOptions, 'onRequest' | 'preHandler'>, place = ''): string[] {
  return [...hookFaults(`${place}onRequest`, onRequest), ...hookFaults(`${place}preHandler`, preHandler)]
}

function originFault(origin: string): string | undefined {
  return URL.canParse(origin) && new URL(origin).origin === origin ? undefined : `${quoted(origin)} is not an origin`
}

function ownFaults(options: ParsedOptions): string[] {
  const { read, operate, allow = [], origins, user, reload } = options
  const faults = [...guardFaults(options), ...guardFaults(read, 'read.'), ...guardFaults(operate, 'operate.')]
  for (const [index, pattern] of allow.entries()) {
    const fault = allowFault(pattern)
    if (fault !== undefined) faults.push(`allow.${index}: ${fault}`)
  }
  for (const [index, origin] of origins.entries()) {
    const fault = originFault(origin)
    if (fault !== undefined) faults.push(`origins.${index}: ${fault}`)
  }
  faults.push(...hostFaults('hosts', options.hosts))
  return [...faults, ...functionFaults('user', user), ...functionFaults('reload', reload)]
}

const reading = (given: AdminRoutesOptions) => readOptions(AdminRoutesOptions, given, ownFaults)

/** Every fault of the options, one line each; for whoever checks more than these and wants to name all at once. */
export function faultsOfOptions(given: AdminRoutesOptions): readonly string[] {
  return reading(given).faults
}

/**
 * The options with every default in place.
 * @throws BadOptionsError naming every fault at once; UnguardedError when a role has no hook
 */
export function parseOptions(given: AdminRoutesOptions): ParsedOptions {
  const { options, faults } = reading(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  if (options.insecure || has(guardsOf(options))) return options
  const open = (['read', 'operate'] as const).filter((one) => !has(guardsOf(options[one])))
  if (open.length > 0) throw new UnguardedError(open.join(', '))
  return options
}
