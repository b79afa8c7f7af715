import { BackendOptions, BalancerOptions as CoreOptions, type NamedPolicy } from '@fastify-balancer/balancer-core'
import { AdaptiveLimitOptions } from '@fastify-balancer/adaptive-limit'
import { CircuitBreakerOptions, RateOptions } from '@fastify-balancer/circuit-breaker'
import { HealthCheckOptions } from '@fastify-balancer/health-check'
import { MirrorOptions } from '@fastify-balancer/mirror'
import { strict } from '@fastify-balancer/option-schema'
import { Type, type TObject, type TSchema } from '@sinclair/typebox'
import { policies, policiesWithSettings, policyNames } from '../../plugin/policies.ts'
import { BalancerOptions } from '../../plugin/options.ts'
import { StickyOptions } from '../../plugin/sticky-option.ts'
import { objectInFile } from './in-file.ts'
import { file, moduleExport, secret } from './reference.ts'

const { policy, pool } = CoreOptions.properties

/** What an option is, in the words of its own schema. */
const described = ({ description = '' }: TSchema) => ({ description })

const pemFile = (option: 'caFile' | 'certFile' | 'keyFile') =>
  Type.Optional(file(pool.properties.tls.properties[option].description!))

/** Those that tell what is secret, or a file, from the rest; others are handed on as they are. */
const backendTls = Type.Object(
  {
    ...pool.properties.tls.properties,
    caFile: pemFile('caFile'),
    certFile: pemFile('certFile'),
    keyFile: pemFile('keyFile'),
    ca: Type.Optional(secret('PEM text of the CA certificates that backends are verified against')),
    cert: Type.Optional(secret('PEM text of the certificate that is presented to backends')),
    key: Type.Optional(secret('PEM text of its private key')),
    passphrase: Type.Optional(secret('Passphrase of the key')),
    servername: Type.Optional(
      Type.String({ description: 'Server name: sent by SNI, and expected in the certificate' }),
    ),
    rejectUnauthorized: Type.Optional(Type.Boolean({ description: '`false` accepts any certificate' })),
  },
  { additionalProperties: true, ...described(pool.properties.tls) },
)

const policyNamed = Type.Union(policyNames.map((name) => Type.Literal(name)))
const policyWithin = Type.Union(
  [policyNamed, Type.Object({ name: policyNamed }, { additionalProperties: true }), moduleExport()],
  { expected: `${policyNames.join(', ')}, { name, … } or { module, export }` },
)

/** A policy with its settings; one of them may be another policy. */
function policyWithSettings([name, { settings }]: [string, NamedPolicy]): TObject {
  const hasInner = Object.hasOwn(settings.properties, 'policy')
  const { properties } = objectInFile(settings, hasInner ? { policy: policyWithin } : {})
  return Type.Object({ name: Type.Literal(name), ...properties }, strict)
}

const policyInFile = Type.Union(
  [
    policyNamed,
    Type.Object({ name: policyNamed }, strict),
    ...Object.entries(policies)
      .filter(([, { settings }]) => Object.keys(settings.properties).length > 0)
      .map(policyWithSettings),
    moduleExport(),
  ],
  {
    expected: `${policyNames.join(', ')}, { name, … } (${policiesWithSettings.join(' and ')} need settings) or { module, export }`,
  },
)

const healthCheck = objectInFile(HealthCheckOptions, {
  balancer: undefined,
  headers: Type.Record(Type.String(), secret('The value of a header'), {
    default: {},
    ...described(HealthCheckOptions.properties.headers),
  }),
  'expect.body': Type.Union([Type.String(), moduleExport()], {
    ...described(HealthCheckOptions.properties.expect.properties.body),
  }),
})

const rate = Type.Union([objectInFile(RateOptions), Type.Boolean()], {
  default: false,
  ...described(CircuitBreakerOptions.properties.rate),
})
const circuit = objectInFile(CircuitBreakerOptions, { balancer: undefined, backends: undefined, rate })
const circuitBreaker = objectInFile(CircuitBreakerOptions, {
  balancer: undefined,
  rate,
  backends: Type.Record(Type.String(), Type.Union([circuit, Type.Boolean()]), {
    default: {},
    ...described(CircuitBreakerOptions.properties.backends),
  }),
})

const core = objectInFile(CoreOptions, {
  policy: { ...policyInFile, default: 'round-robin', ...described(policy) },
  constraints: Type.Object(
    {
      host: Type.Optional(Type.String({ description: 'The host name that requests are for' })),
      version: Type.Optional(Type.String({ description: 'The version in `accept-version`' })),
    },
    { ...strict, default: {}, description: 'Only requests below the prefix that match these go to this balancer' },
  ),
  'pool.tls': { ...backendTls, default: {} },
  'backends.tls': { ...backendTls, ...described(BackendOptions.properties.tls) },
  // There is nothing else in such a process that could forward, or that could stop the clock.
  route: undefined,
  clock: undefined,
  random: undefined,
})

// It is made of the options of the core, whose names are not part of its type.
const registered = BalancerOptions.properties as Readonly<Record<string, TSchema>>

const switched = (name: string, options: TObject, byDefault: {} | false) =>
  Type.Optional(Type.Union([options, Type.Boolean()], { default: byDefault, ...described(registered[name]!) }))

/** One of `balancers`: everything that `register` takes. */
export const BalancerInFile = Type.Object(
  {
    ...core.properties,
    sticky: Type.Optional(
      Type.Union([objectInFile(StickyOptions), Type.Literal(false)], {
        default: false,
        ...described(registered['sticky']!),
      }),
    ),
    healthCheck: switched('healthCheck', healthCheck, {}),
    circuitBreaker: switched('circuitBreaker', circuitBreaker, {}),
    adaptiveLimit: switched('adaptiveLimit', objectInFile(AdaptiveLimitOptions, { balancer: undefined }), false),
    mirror: Type.Optional(
      Type.Union([objectInFile(MirrorOptions, { balancer: undefined }), Type.Literal(false)], {
        default: false,
        ...described(registered['mirror']!),
      }),
    ),
  },
  strict,
)
