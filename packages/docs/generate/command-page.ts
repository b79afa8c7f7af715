import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { subcommandNames } from '../../fastify-balancer/src/command/subcommands.ts'
import { page } from './markdown.ts'

const command = join(import.meta.dirname, '../../fastify-balancer/src/cli.ts')

/** What each command says about itself. */
export async function commandPage(): Promise<string> {
  const parts = await Promise.all(
    ['', ...subcommandNames].map(async (name) => {
      const words = name === '' ? ['--help'] : [name, '--help']
      const { stdout } = await promisify(execFile)(process.execPath, [command, ...words])
      return `## fastify-balancer${name === '' ? '' : ` ${name}`}\n\n\`\`\`text\n${stdout.trimEnd()}\n\`\`\``
    }),
  )
  const about =
    'What `--help` prints. Several backends, a file or nothing at all: `npx fastify-balancer` alone starts a demo.'
  return page('Command line', about, ...parts)
}
