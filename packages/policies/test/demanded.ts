import { withDefaults } from '@fastify-balancer/option-schema'
import type { TObject } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** What the schema of a policy demands, and gives no default for: a test can then name every policy there is. */
export function demanded(settings: TObject): object {
  const given = withDefaults(settings, {}) as Record<string, unknown>
  const missing = (settings.required ?? []).filter((name) => given[name] === undefined)
  return Object.fromEntries(missing.map((name) => [name, Value.Create(settings.properties[name]!)]))
}
