import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { jsonSchema } from '../packages/fastify-balancer/src/configuration/schema/json-schema.ts'

const file = new URL('../packages/fastify-balancer/configuration.schema.json', import.meta.url)

/** The JSON Schema that ships. */
export function shippedSchema(): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = `${JSON.stringify(jsonSchema(), null, 2)}\n`
  if (process.argv[2] === '--write') writeFileSync(file, text)
  else process.stdout.write(text)
}
