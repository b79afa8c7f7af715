/** The first line of a file, without `#`: editors that speak YAML find the JSON Schema by it, to complete and check. */
export const schemaLine =
  'yaml-language-server: $schema=https://unpkg.com/fastify-balancer/schema/fastify-balancer.schema.json'
