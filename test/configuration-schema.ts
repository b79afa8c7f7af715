import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { jsonSchema } from '../packages/fastify-balancer/src/configuration/schema/json-schema.ts'
import { scenarioSchema } from '../packages/fastify-balancer/src/simulation/command/scenario-file-schema.ts'

/** The JSON Schemas that ship, and what is to stand in them. */
const schemas = {
  'configuration.schema.json': jsonSchema,
  'scenario.schema.json': scenarioSchema,
} as const

const fileOf = (name: string) => new URL(`../packages/fastify-balancer/${name}`, import.meta.url)

/** A JSON Schema as it ships. */
export function shippedSchema(name: keyof typeof schemas = 'configuration.schema.json'): unknown {
  return JSON.parse(readFileSync(fileOf(name), 'utf8'))
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [name, schema] of Object.entries(schemas)) {
    const text = `${JSON.stringify(schema(), null, 2)}\n`
    if (process.argv[2] === '--write') writeFileSync(fileOf(name), text)
    else process.stdout.write(text)
  }
