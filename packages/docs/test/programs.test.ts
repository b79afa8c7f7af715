import type { FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { after, describe, test, type TestContext } from 'node:test'
import { ask } from '../../../test/support/ask.ts'
import { startBackend } from '../../../test/support/backend.ts'
import { localhost } from '../../../test/support/certificates.ts'
import { completed, ProgramFolder, type Block } from '../../../test/support/documented-programs.ts'
import { LogLines } from '../../../test/support/log-lines.ts'
import { blocks, checks, titled, type Running } from './program-checks.ts'

/** Those that are no app within this process: another test runs them, or a reader does. */
const elsewhere = new Set([
  'tutorial: Two backends',
  'deploy: In your own app',
  'deploy: With a cluster of your own',
  'protocols: HTTP',
])

const programs = [...blocks].flatMap(([page, all]) =>
  all.filter(({ language }) => language === 'ts').map((block) => ({ name: `${page}: ${block.title}`, block })),
)

const programOf = (block: Block) => completed(block, titled('tutorial', 'Ten lines of TypeScript'))

async function run(t: TestContext, folder: ProgramFolder, file: string, text: string): Promise<Running> {
  const backends = await Promise.all(
    ['one', 'two', 'three'].map((name) =>
      startBackend(t, (request, response) => {
        request.resume()
        const headers = { 'x-powered-by': 'steam', 'x-read-only': name === 'two' ? 'yes' : 'no' }
        if (request.url === '/go') response.writeHead(302, { location: '/there' })
        else response.writeHead(200, headers)
        response.end(name)
      }),
    ),
  )
  const log = new LogLines()
  const logs = globalThis as { documentedLog?: LogLines }
  logs.documentedLog = log
  const program = text
    .replaceAll(/http:\/\/127\.0\.0\.1:300([123])\b/g, (_, number: string) => backends[Number(number) - 1]!.url)
    .replace('logger: true', 'logger: globalThis.documentedLog')
    .replace(/^await app\.listen.*\n/m, '')
    .concat('export { app }\n')
  const { app } = (await import(folder.write(file, program))) as { readonly app: FastifyInstance }
  t.after(() => app.close())
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { url, app, log, backends }
}

describe('the programs of the documentation', { timeout: 200_000 }, () => {
  const folder = new ProgramFolder('test/node_modules')
  after(() => folder.remove())

  for (const [index, { name, block }] of programs.entries())
    if (!elsewhere.has(name))
      test(name, async (t) => {
        const running = await run(t, folder, `${index}-runs.ts`, programOf(block))
        await checks[name]?.(running)
        const [, prefix = ''] = /prefix: '([^']+)'/.exec(block.code) ?? []
        if (checks[name] === undefined)
          assert.match((await ask(`${running.url}${prefix}/`)).body, /^(?:one|two|three)$/)
      })

  test('every check, and every exception, belongs to a block', () => {
    const names = new Set(programs.map(({ name }) => name))
    assert.deepEqual(
      [...Object.keys(checks), ...elsewhere].filter((name) => !names.has(name)),
      [],
    )
  })

  test('they type-check', async () => {
    folder.write('cert.pem', localhost.cert)
    const files = programs.map(({ block }, index) => [`${index}.ts`, programOf(block)])
    assert.equal(await folder.typeFaults(Object.fromEntries(files)), '')
  })
})
