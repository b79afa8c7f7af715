#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { readArguments } from './command/arguments.ts'
import { CommandError } from './command-error.ts'
import { help } from './command/help.ts'

// Whoever read the log has gone (`| head`): that is no reason to stop balancing.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

try {
  const command = readArguments(process.argv.slice(2))
  if (command.kind === 'help') process.stdout.write(help)
  else if (command.kind === 'version') process.stdout.write(`${version()}\n`)
  // Only now is all of Fastify loaded.
  else await (await import('./server/serve.ts')).serve(command)
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  process.stderr.write(`fastify-balancer: ${error.message.replaceAll('\n', ' ')}\n`)
  process.exitCode = error.exitCode
}
