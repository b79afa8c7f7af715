import { AdaptiveLimitOptions } from '@fastify-balancer/adaptive-limit'
import { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import {
  BackendOptions,
  BalancerOptions as CoreOptions,
  CallOptions,
  corePolicies,
  failures,
  type NamedPolicies,
} from '@fastify-balancer/balancer-core'
import { CircuitBreakerOptions, RateOptions } from '@fastify-balancer/circuit-breaker'
import { DashboardOptions } from '@fastify-balancer/dashboard'
import { HealthCheckOptions } from '@fastify-balancer/health-check'
import { MetricsOptions } from '@fastify-balancer/metrics'
import { FleetOptions } from '@fastify-balancer/fleet'
import { MirrorOptions } from '@fastify-balancer/mirror'
import { policies } from '@fastify-balancer/policies'
import { ProxyProtocolOptions } from '@fastify-balancer/proxy-protocol'
import { BalancerOptions } from 'fastify-balancer'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { FileSchema } from '../packages/fastify-balancer/src/configuration/schema/file-schema.ts'
import { BackendInScenario } from '../packages/fastify-balancer/src/simulation/scenario/backend-in-scenario.ts'
import { SimulationOptions } from '../packages/fastify-balancer/src/simulation/scenario/scenario-schema.ts'
import { optionsIn, type ListedSchema as Schema } from './support/options-in.ts'

type Row = readonly string[]

function table(head: Row, rows: readonly Row[]): string {
  const line = (row: Row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? `'${value}'` : JSON.stringify(value)}\``
}

const optionRows = (schema: Schema, before = ''): Row[] =>
  optionsIn(schema, before).map(({ path, option: { default: byDefault, description = '' } }) => [
    `\`${path}\``,
    byDefault === undefined ? '' : code(byDefault),
    description,
  ])

const head = ['option', 'default', 'meaning']

/** Every option of a `register` and of one backend, from the schemas that check them. */
export function optionTables(schema: Schema): string {
  return [
    table(head, optionRows(schema)),
    'Each of `backends` is an address, or an object:',
    table(head, optionRows(BackendOptions)),
  ].join('\n\n')
}

/** The retry rules in words. */
export const retries = {
  anywhere: 'on another backend, or the only one',
  elsewhere: 'on another backend',
  'fresh-connection': 'on a new connection',
  never: 'no',
}

const withoutParts = ({ description = '', default: byDefault }: Schema): Schema => ({ description, default: byDefault })

/** Everything that a scenario may hold; options of `register` have a table of their own. */
export function scenarioOptions(): Schema {
  const { $schema: _, balancer, changes, ...others } = SimulationOptions.properties as Readonly<Record<string, Schema>>
  const { add, ...change } = changes!.items!.properties!
  const items = { properties: { ...change, add: withoutParts(add!) } }
  return { properties: { ...others, changes: { ...changes, items }, balancer: withoutParts(balancer!) } }
}

function scenarioTables(): string {
  return [
    table(head, optionRows(scenarioOptions())),
    'Each of `backends`:',
    table(head, optionRows(BackendInScenario)),
  ].join('\n\n')
}

/** What a file has beside the options of `register`. */
export function fileOptions(): Schema {
  const { properties } = FileSchema as Schema & { readonly properties: Readonly<Record<string, Schema>> }
  const asRegister = ['balancers', 'metrics', 'dashboard', 'underPressure']
  const members = Object.entries(properties).map(([name, option]) => [
    name,
    asRegister.includes(name) ? withoutParts(option) : option,
  ])
  return { properties: Object.fromEntries(members) as Readonly<Record<string, Schema>> }
}

/** Every way to fail, from the table that the code itself goes by. */
export function failureTable(): string {
  return table(
    ['reason', 'status', 'at fault', 'tried again', 'message'],
    Object.entries(failures).map(([reason, { status, blame, retry, message }]) => [
      `\`${reason}\``,
      String(status),
      blame,
      retries[retry],
      message,
    ]),
  )
}

/** Every policy of a registry, and its settings. */
function policyTable(named: NamedPolicies): string {
  const rows = Object.entries(named).flatMap(([name, { description, settings }]) => [
    [`\`${name}\``, '', description],
    ...optionRows(settings as Schema, '· ').map((row) => row.map((cell) => cell.replace('`· ', '· `'))),
  ])
  return table(['policy, and its settings', 'default', 'meaning'], rows)
}

/** What can stand between `<!-- name:start -->` and `<!-- name:end -->`. */
const tables: Readonly<Record<string, () => string>> = {
  options: () => optionTables(BalancerOptions),
  'file-options': () => table(head, optionRows(fileOptions())),
  'scenario-options': scenarioTables,
  'balancer-core-options': () => optionTables(CoreOptions),
  'forward-options': () => table(head, optionRows(CallOptions)),
  failures: failureTable,
  policies: () => policyTable(policies),
  'core-policies': () => policyTable(corePolicies),
  'health-check-options': () => table(head, optionRows(HealthCheckOptions)),
  'circuit-breaker-options': () => table(head, optionRows(CircuitBreakerOptions)),
  'adaptive-limit-options': () => table(head, optionRows(AdaptiveLimitOptions)),
  'admin-routes-options': () => table(head, optionRows(AdminRoutesOptions)),
  'fleet-options': () => table(head, optionRows(FleetOptions)),
  'mirror-options': () => table(head, optionRows(MirrorOptions)),
  'metrics-options': () => table(head, optionRows(MetricsOptions)),
  'proxy-protocol-options': () => table(head, optionRows(ProxyProtocolOptions)),
  'dashboard-options': () => table(head, optionRows(DashboardOptions)),
  'circuit-breaker-rate': () => table(head, optionRows(RateOptions)),
}

/** A README with what the code says between its markers. */
export function withTables(readme: string): string {
  return readme.replaceAll(/<!-- ([\w-]+):start -->\n.*?<!-- \1:end -->/gs, (whole, name: string) => {
    const content = tables[name]?.()
    return content === undefined ? whole : `<!-- ${name}:start -->\n${content}\n<!-- ${name}:end -->`
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , flag, file] = process.argv
  if (flag === '--write' && file !== undefined) writeFileSync(file, withTables(readFileSync(file, 'utf8')))
  else process.stdout.write(`${optionTables(BalancerOptions)}\n\n${failureTable()}\n`)
}
