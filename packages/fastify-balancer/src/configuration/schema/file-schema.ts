import { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import { MetricsOptions } from '@fastify-balancer/metrics'
import { strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import { FacadeDashboardOptions } from '../../plugin/dashboard-options.ts'
import { UnderPressureOptions } from '../../plugin/under-pressure.ts'
import { BalancerInFile } from './balancer.ts'
import { objectInFile } from './in-file.ts'
import { listener } from './listener.ts'
import { file, path, secret } from './reference.ts'

const adminRoutes = objectInFile(AdminRoutesOptions, {
  // Who may come in is said by `token` and `basicAuth`, and the file itself is what is read again.
  onRequest: undefined,
  preHandler: undefined,
  read: undefined,
  operate: undefined,
  user: undefined,
  reload: undefined,
  persist: path(AdminRoutesOptions.properties.persist.description!),
})

const admin = Type.Object(
  {
    token: Type.Optional(secret('The bearer token that gives access', { minLength: 1 })),
    basicAuth: Type.Optional(
      Type.Object(
        { file: file('The path of a file with names and password hashes, as `htpasswd -B` writes it') },
        { ...strict, description: 'Names and passwords that give access' },
      ),
    ),
    listen: Type.Optional(
      listener('A listener of its own for the admin API, the page and the metrics; the others do not have them then'),
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
    listen: Type.Optional(
      Type.Array(listener(), {
        minItems: 1,
        default: [{ port: 8080 }],
        description: 'Where requests come in: one or several listeners',
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
          'A REST API that shows and changes everything; open to this machine only, unless it has a `token`, `basicAuth` or `insecure: true`',
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
              description: 'Format; default: `pretty` on a terminal, otherwise `json`',
            }),
          ),
          level: Type.Optional(
            Type.Union(
              ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => Type.Literal(level)),
              { default: 'info', description: 'Lowest level that is logged' },
            ),
          ),
        },
        { ...strict, default: {} },
      ),
    ),
  },
  strict,
)
