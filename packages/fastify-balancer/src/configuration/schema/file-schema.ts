import { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import { MetricsOptions } from '@fastify-balancer/metrics'
import { strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import { FacadeDashboardOptions } from '../../plugin/dashboard-options.ts'
import { UnderPressureOptions } from '../../plugin/under-pressure.ts'
import { mostWorkers } from '../../values/worker-count.ts'
import { BalancerInFile } from './balancer.ts'
import { objectInFile } from './in-file.ts'
import { listener } from './listener.ts'
import { file, path, secret } from './reference.ts'

const adminRoutes = objectInFile(AdminRoutesOptions, {
  // `token` and `basicAuth` replace the hooks; `reload` and `restart` are the command's.
  onRequest: undefined,
  preHandler: undefined,
  read: undefined,
  operate: undefined,
  user: undefined,
  reload: undefined,
  restart: undefined,
  persist: path(AdminRoutesOptions.properties.persist.description!),
})

const admin = Type.Object(
  {
    token: Type.Optional(
      secret(
        'Token for the admin API, the page and the metrics: a bearer token for programs, the password of any name in a browser',
        { minLength: 1 },
      ),
    ),
    basicAuth: Type.Optional(
      Type.Object(
        { file: file('The path of a file with names and password hashes, as `htpasswd -B` writes it') },
        { ...strict, description: 'Names and passwords for the admin API, the page and the metrics' },
      ),
    ),
    listen: Type.Optional(
      listener(
        'Separate listener for the admin API, the page and the metrics; the other listeners do not serve them then',
      ),
    ),
    ...adminRoutes.properties,
  },
  strict,
)

const metrics = objectInFile(MetricsOptions, { registry: undefined })
const page = objectInFile(FacadeDashboardOptions, { onRequest: undefined })
const underPressure = objectInFile(UnderPressureOptions)

/** The whole file. The one source of its check, its JSON Schema and the README's table. */
export const FileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'The JSON Schema that editors use, in a JSON file' })),
    workers: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: mostWorkers }), Type.Literal('auto')], {
        default: 1,
        description: 'How many processes share the work; `auto` = one for each core',
      }),
    ),
    divideLimits: Type.Optional(
      Type.Boolean({
        default: true,
        description:
          '`maxInFlight` and adaptive limits are of all workers together; `false`: each worker may have as many in flight as if it were alone',
      }),
    ),
    listen: Type.Optional(
      Type.Array(listener(), {
        minItems: 1,
        default: [{ port: 8080 }],
        description: 'The addresses to listen on for requests',
      }),
    ),
    balancers: Type.Array(BalancerInFile, {
      minItems: 1,
      description:
        'The balancers, each with the options of `register`; several need a `name` and a `prefix` or `constraints.host` each',
    }),
    admin: Type.Optional(
      Type.Union([admin, Type.Boolean()], {
        default: false,
        description:
          'A REST API to inspect and change the balancers; open to this machine only, unless it has a `token`, `basicAuth` or `insecure: true`',
      }),
    ),
    metrics: Type.Optional(
      Type.Union([metrics, Type.Boolean()], {
        default: false,
        description: 'Metrics for Prometheus: `true`, or options as below',
      }),
    ),
    dashboard: Type.Optional(
      Type.Union([page, Type.Boolean()], {
        default: false,
        description: 'A live page; needs `admin`: `true`, or options as below',
      }),
    ),
    underPressure: Type.Optional(
      Type.Union([underPressure, Type.Boolean()], {
        default: false,
        description: 'Refuses requests while the process is overloaded: `true`, or options as below',
      }),
    ),
    log: Type.Optional(
      Type.Object(
        {
          form: Type.Optional(
            Type.Union([Type.Literal('pretty'), Type.Literal('json'), Type.Literal('off')], {
              description:
                'Form of the lines: `pretty` (text), `json` or `off`; if not given, `pretty` on a terminal, else `json`',
            }),
          ),
          level: Type.Optional(
            Type.Union(
              ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => Type.Literal(level)),
              { default: 'info', description: 'Lowest level that is logged' },
            ),
          ),
          file: Type.Optional(
            path(
              'The path of a file that the log is appended to, instead of standard output; SIGUSR1 opens it again, after it was renamed',
            ),
          ),
        },
        { ...strict, default: {} },
      ),
    ),
  },
  strict,
)
