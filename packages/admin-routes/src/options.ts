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
import type { Restart } from './schemas/restart.ts'

const guardsOn = (purpose: string) => ({
  onRequest: hooks<onRequestHookHandler>(`Hooks that authenticate ${purpose}`),
  preHandler: hooks<preHandlerHookHandler>('Like `onRequest`, but after the body is parsed'),
})

const role = (purpose: string) =>
  Type.Object(guardsOn(`${purpose}, in addition to those above`), {
    ...strict,
    default: {},
    description: `Further hooks for ${purpose}`,
  })

/** Everything that `register` takes. The only source of the type, the validation, the defaults and the README's table. */
export const AdminRoutesOptions = Type.Object(
  {
    prefix: Type.String({
      pattern: '^/.*[^/]$',
      expected: "a path that begins with '/' and does not end with it",
      default: '/_balancer',
      description: 'Path prefix of the routes; nothing below it is forwarded to backends',
    }),
    ...guardsOn('every request, before its body is read: a function, or an array of functions'),
    read: role('requests that only read'),
    operate: role('requests that change something'),
    insecure: Type.Boolean({ default: false, description: 'Allow access without authentication' }),
    hosts: hosts(
      'Allowed values of `Host` besides `localhost` and IP addresses, e.g. `ops.example`; others get 403, against DNS rebinding. Checked if given, and always with `insecure`. Set it, at least to `[]`, if your hooks only check client addresses',
    ),
    openProbes: Type.Boolean({
      default: false,
      description: '`/ready` and `/live` need no authentication, for orchestrators that cannot sign in',
    }),
    allow: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'Backends that may be added: networks (`10.0.0.0/8`) and hosts (`*.internal`, `10.0.0.1:3000`, `https://api.internal`, which is port 443 only), whatever their paths; and Unix sockets (`unix:/run/app.sock`), which are never allowed otherwise. If not given, any with a host',
      }),
    ),
    origins: Type.Array(Type.String(), {
      default: [],
      description: 'Other origins whose web pages may make changes, e.g. `https://ops.example`',
    }),
    user: code<(request: FastifyRequest) => string | undefined>(
      '`(request) => string | undefined`: names the operator in the audit log. If not given: `id`, `name`, `username` or `sub` of `request.user`',
    ),
    reload: code<Reload>(
      '`async ({ dryRun, force, who }) => report`: reloads the configuration, for `POST /reload`. The command with `--config` sets it',
    ),
    restart: code<Restart>(
      '`async ({ who }) => report`: replaces all worker processes, for `POST /server/restart`. `workers` in a file sets it, and `workers()` gives it to a program',
    ),
    events: Type.Object(EventsOptions.properties, { ...strict, default: {}, description: 'The stream of events' }),
    persist: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'File that saves lists and states changed through these routes, so that they survive a restart',
      }),
    ),
    bodyLimit: Type.Integer({ minimum: 1, default: 1_048_576, description: 'Largest request body (bytes)' }),
  },
  strict,
)
/** What `register` takes; everything is optional. */
export type AdminRoutesOptions = Options

/** The options with all defaults filled in. */
export type ParsedOptions = Static<typeof AdminRoutesOptions>

/** Authentication hooks, in the order in which they run. */
export interface Guards {
  readonly onRequest: readonly onRequestHookHandler[]
  readonly preHandler: readonly preHandlerHookHandler[]
}

/** The hooks of the options, or of one role. */
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
  const { read, operate, allow = [], origins, user, reload, restart } = options
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
  return [
    ...faults,
    ...functionFaults('user', user),
    ...functionFaults('reload', reload),
    ...functionFaults('restart', restart),
  ]
}

const reading = (given: AdminRoutesOptions) => readOptions(AdminRoutesOptions, given, ownFaults)

/** Every fault of the options, one line each. For a caller that reports them together with others. */
export function faultsOfOptions(given: AdminRoutesOptions): readonly string[] {
  return reading(given).faults
}

/**
 * The options with all defaults filled in.
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
