// Writes the types of all options, with what an editor shows of each, from the schemas that check them:
// `node test/option-types.ts --write`.
import { AdaptiveLimitOptions } from '@fastify-balancer/adaptive-limit'
import { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import { BackendOptions, BalancerOptions as CoreOptions } from '@fastify-balancer/balancer-core'
import { CircuitBreakerOptions, RateOptions } from '@fastify-balancer/circuit-breaker'
import { DashboardOptions } from '@fastify-balancer/dashboard'
import { FleetOptions } from '@fastify-balancer/fleet'
import { HealthCheckOptions } from '@fastify-balancer/health-check'
import { MetricsOptions } from '@fastify-balancer/metrics'
import { MirrorOptions } from '@fastify-balancer/mirror'
import { ProxyProtocolOptions } from '@fastify-balancer/proxy-protocol'
import { BalancerOptions } from 'fastify-balancer'
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CircuitSettings } from '../packages/circuit-breaker/src/backend/circuit-settings.ts'
import { FacadeDashboardOptions } from '../packages/fastify-balancer/src/plugin/dashboard-options.ts'
import { StickyOptions } from '../packages/fastify-balancer/src/plugin/sticky-option.ts'
import { UnderPressureOptions } from '../packages/fastify-balancer/src/plugin/under-pressure.ts'
import { SimulationOptions } from '../packages/fastify-balancer/src/simulation/scenario/scenario-schema.ts'
import { CodeTypes } from './support/code-types.ts'
import type { GeneratedType } from './support/generated-type.ts'
import { InterfaceText, type OptionSchema } from './support/interface-text.ts'
import { policyNames, policyTypes } from './support/policy-types.ts'

const root = join(import.meta.dirname, '..')

/** Without what the facade chooses itself. */
const part = (schema: OptionSchema): OptionSchema => {
  const { balancer: _, ...properties } = schema.properties ?? {}
  return { properties, required: schema.required }
}

const healthCheck: GeneratedType = {
  name: 'HealthCheckSettings',
  schema: part(HealthCheckOptions),
  source: 'health-check/src/options.ts',
  description: 'How the backends of a balancer are checked: everything optional, nested objects in part.',
}

const circuit: GeneratedType = {
  name: 'BackendCircuitOptions',
  schema: CircuitSettings,
  source: 'circuit-breaker/src/backend/circuit-settings.ts',
  description: 'What may be otherwise for one backend.',
}

const circuitBreaker: GeneratedType = {
  name: 'CircuitBreakerSettings',
  schema: part(CircuitBreakerOptions),
  source: 'circuit-breaker/src/options.ts',
  description: 'The circuits of the backends of a balancer: everything optional.',
  base: circuit,
  imports: { BackendCircuitOptions: './backend/circuit-settings.generated.ts' },
}

const mirror: GeneratedType = {
  name: 'MirrorSettings',
  schema: part(MirrorOptions),
  source: 'mirror/src/options.ts',
  description: 'Which requests are copied, and where to: everything but `to` is optional.',
}

const adaptiveLimit: GeneratedType = {
  name: 'AdaptiveLimitSettings',
  schema: part(AdaptiveLimitOptions),
  source: 'adaptive-limit/src/options.ts',
  description: 'How the limits of the backends of a balancer are found: everything optional.',
}

const fleet: GeneratedType = {
  name: 'FleetOptions',
  schema: FleetOptions,
  source: 'fleet/src/options.ts',
  description: 'How this process takes part: everything optional.',
}

/** These settings, and what `register` takes: the same, and the name of the balancer. */
function withBalancer(settings: GeneratedType, name: string, schema: OptionSchema): readonly GeneratedType[] {
  const description = 'What `register` takes: everything optional, nested objects in part.'
  return [settings, { name, schema, source: settings.source, description, base: settings }]
}

/** Every interface of options. */
export const generatedTypes: readonly GeneratedType[] = [
  ...policyTypes,
  {
    name: 'ProxyProtocolOptions',
    schema: ProxyProtocolOptions,
    source: 'proxy-protocol/src/options.ts',
    description: 'What `proxyProtocol` takes.',
  },
  {
    name: 'BackendOptions',
    schema: BackendOptions,
    source: 'balancer-core/src/backends/backend-options.ts',
    description: 'One backend, as options describe it.',
  },
  {
    name: 'BalancerOptions',
    schema: CoreOptions,
    source: 'balancer-core/src/options.ts',
    description: 'What `register` takes: everything optional, nested objects in part.',
    parts: { backends: 'readonly (string | BackendOptions)[]' },
    imports: { BackendOptions: './backends/backend-options.generated.ts' },
  },
  ...withBalancer(healthCheck, 'HealthCheckOptions', HealthCheckOptions),
  {
    name: 'RateOptions',
    schema: RateOptions,
    source: 'circuit-breaker/src/trip/rate-options.ts',
    description: 'The option `rate`, in part.',
  },
  circuit,
  ...withBalancer(circuitBreaker, 'CircuitBreakerOptions', CircuitBreakerOptions),
  ...withBalancer(adaptiveLimit, 'AdaptiveLimitOptions', AdaptiveLimitOptions),
  mirror,
  {
    name: 'MirrorOptions',
    schema: MirrorOptions,
    source: mirror.source,
    description: 'What `register` takes: everything but `to` is optional.',
    base: mirror,
  },
  fleet,
  {
    name: 'MetricsOptions',
    schema: MetricsOptions,
    source: 'metrics/src/options.ts',
    description: 'What `register` takes: everything optional.',
  },
  {
    name: 'AdminRoutesOptions',
    schema: AdminRoutesOptions,
    source: 'admin-routes/src/options.ts',
    description: 'What `register` takes: everything optional, nested objects in part.',
  },
  {
    name: 'DashboardOptions',
    schema: DashboardOptions,
    source: 'dashboard/src/options.ts',
    description: 'What `register` takes: everything optional.',
  },
  {
    name: 'FacadeDashboardOptions',
    schema: FacadeDashboardOptions,
    source: 'fastify-balancer/src/plugin/dashboard-options.ts',
    description: 'What of the page can be chosen here; the rest follows from the admin routes.',
  },
  {
    name: 'StickyOptions',
    schema: StickyOptions,
    source: 'fastify-balancer/src/plugin/sticky-option.ts',
    description: 'How clients stay with a backend: everything but `secret` is optional.',
  },
  {
    name: 'UnderPressureOptions',
    schema: UnderPressureOptions,
    source: 'fastify-balancer/src/plugin/under-pressure.ts',
    description: 'When requests are shed, for the process is overloaded: everything optional.',
  },
  {
    name: 'SimulationOptions',
    schema: SimulationOptions,
    source: 'fastify-balancer/src/simulation/scenario/scenario-schema.ts',
    description: 'What `simulate` takes, and what a scenario file holds.',
    parts: { policy: 'ChosenPolicy', policies: 'readonly ChosenPolicy[]', balancer: 'SimulatedOptions' },
    imports: { ChosenPolicy: './simulated-options.ts', SimulatedOptions: './simulated-options.ts' },
  },
  {
    name: 'BalancerOptions',
    schema: BalancerOptions,
    source: 'fastify-balancer/src/plugin/options.ts',
    description: 'What `register` takes: everything optional, nested objects in part; `false` leaves a plugin out.',
    base: { name: 'CoreOptions', schema: CoreOptions },
    parts: {
      sticky: 'StickyOptions | false',
      healthCheck: 'HealthCheckSettings | boolean',
      circuitBreaker: 'CircuitBreakerSettings | boolean',
      adaptiveLimit: 'AdaptiveLimitSettings | boolean',
      mirror: 'MirrorSettings | false',
      metrics: 'MetricsOptions | boolean',
      admin: 'AdminRoutesOptions | false',
      dashboard: 'FacadeDashboardOptions | boolean',
      fleet: 'FleetOptions | boolean',
      underPressure: 'UnderPressureOptions | boolean',
    },
    imports: {
      'BalancerOptions as CoreOptions': '@fastify-balancer/balancer-core',
      HealthCheckSettings: '@fastify-balancer/health-check',
      StickyOptions: './sticky-option.generated.ts',
      CircuitBreakerSettings: '@fastify-balancer/circuit-breaker',
      AdaptiveLimitSettings: '@fastify-balancer/adaptive-limit',
      MirrorSettings: '@fastify-balancer/mirror',
      MetricsOptions: '@fastify-balancer/metrics',
      AdminRoutesOptions: '@fastify-balancer/admin-routes',
      FleetOptions: '@fastify-balancer/fleet',
      FacadeDashboardOptions: './dashboard-options.generated.ts',
      UnderPressureOptions: './under-pressure.generated.ts',
    },
  },
]

/** The files that are written, and what is to stand in them. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const sources = new Set(generatedTypes.map(({ source }) => source))
  return new Map([...sources].map((source) => [fileBeside(source), fileText(source)]))
}

function fileBeside(source: string): string {
  return join(root, 'packages', source.replace(/\.ts$/, '.generated.ts'))
}

function fileText(source: string): string {
  const code = new CodeTypes(join(root, 'packages', source.split('/')[0]!, 'src'))
  const types = generatedTypes.filter((type) => type.source === source)
  const written = new InterfaceText(code, fileBeside(source))
  const interfaces = types.map(({ name, schema, description, base, parts = {}, imports = {} }) => {
    for (const [one, from] of Object.entries(imports)) written.imports.set(one, from)
    const own = Object.entries(schema.properties ?? {}).filter(
      ([option]) => base?.schema.properties?.[option] === undefined,
    )
    const body = written.block({ properties: Object.fromEntries(own), required: schema.required }, parts)
    return `/** ${description} */\nexport interface ${name}${base === undefined ? '' : ` extends ${base.name}`} ${body}\n`
  })
  const head = `// Written by \`node test/option-types.ts --write\` from the schema in ${basename(source)}: change that one.\n`
  const imports = written.importLines()
  if (source === policyTypes[0]!.source) interfaces.push(policyNames)
  return `${head}${imports}${imports === '' ? '' : '\n'}${interfaces.join('\n')}`
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [file, text] of generatedFiles()) {
    if (process.argv[2] === '--write') writeFileSync(file, text)
    else process.stdout.write(text)
  }
