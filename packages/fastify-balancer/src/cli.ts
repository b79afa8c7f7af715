#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import type { FileCommand, ServeCommand } from './command/arguments.ts'

// Before anything is loaded that an older one cannot read.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`fastify-balancer: needs Node 22.19 or later, and this is ${process.versions.node}\n`)
  process.exit(1)
}

const { CommandError } = await import('./command-error.ts')
const { takeWorkerEnvironment } = await import('./workers/channel/environment.ts')

// The reader of the log may have gone (`| head`): that is no reason to stop balancing.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

/** Only now is all of Fastify loaded. */
async function serve({ configuration, warnings }: ServeCommand): Promise<void> {
  const isDemo = configuration.balancers[0]?.backends?.length === 0
  if (isDemo) await (await import('./demo/serve-demo.ts')).serveDemo(configuration, warnings)
  else await (await import('./server/serve.ts')).serve(configuration, warnings)
}

async function serveFile(command: FileCommand): Promise<void> {
  // The file has not been read yet, so there is nothing to reload. Without a listener, the signal ends the process.
  process.on('SIGHUP', () => {})
  const followed = await import('./reload/serve-file.ts')
  await followed.serveFile(command, (text) => void process.stderr.write(text))
}

/** One of several processes; the parent has looked at the command line already. */
async function work(argv: readonly string[]): Promise<void> {
  const { WorkerOfParent } = await import('./workers/worker/worker.ts')
  // It obeys while the rest is loaded.
  const worker = new WorkerOfParent()
  await (await import('./workers/worker/worker-command.ts')).workerCommand(argv, worker)
}

async function run(argv: readonly string[]): Promise<void> {
  if (takeWorkerEnvironment()) return work(argv)
  const wanted = await (await import('./workers/parent/wanted.ts')).wantedBy(argv)
  // The parent loads nothing of what the workers run.
  if (wanted !== undefined && wanted.count > 1)
    process.exit(await (await import('./workers/parent/run-parent.ts')).runParent(wanted))
  const command = (await import('./command/arguments.ts')).readArguments(argv)
  if (command.kind === 'help') process.stdout.write((await import('./command/help.ts')).help)
  else if (command.kind === 'version') process.stdout.write(`${version()}\n`)
  else if (command.kind === 'subcommand')
    process.exitCode = await (await import('./command/subcommands.ts')).runSubcommand(command.name, command.args)
  else if (command.kind === 'serve') await serve(command)
  else await serveFile(command)
}

try {
  await run(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  process.stderr.write(`fastify-balancer: ${error.message.replaceAll('\n', ' ')}\n`)
  process.exitCode = error.exitCode
}
