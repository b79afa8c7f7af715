import { existsSync } from 'node:fs'
import { join } from 'node:path'

const installed = './node_modules/fastify-balancer/configuration.schema.json'
const published = 'https://unpkg.com/fastify-balancer/configuration.schema.json'

/**
 * The first line of a file, by which editors that speak YAML find the JSON Schema, to complete and check: the installed one
 * if the file's folder has it.
 */
export function schemaLine(folder: string): string {
  const schema = existsSync(join(folder, installed)) ? installed : published
  return `# yaml-language-server: $schema=${schema}`
}
