import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, describe, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { readConfiguration } from '../packages/fastify-balancer/src/configuration/reading.ts'
import { readArguments, type Command } from '../packages/fastify-balancer/src/command/arguments.ts'
import { withTables } from './readme-tables.ts'
import { linksOf } from './release/standing-alone.ts'
import { ask } from './support/ask.ts'
import { startBackend } from './support/backend.ts'
import { blocksIn, ProgramFolder } from './support/documented-programs.ts'
import { startProgram } from './support/program.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

const blocks = blocksIn(readme)

test('the program of the README does what it says, and type-checks', { timeout: 100_000 }, async (t) => {
  const folder = new ProgramFolder('node_modules')
  t.after(() => folder.remove())
  const answering = (name: string) => startBackend(t, (_, response) => void response.end(name))
  const backends = [await answering('one'), await answering('two')]
  const [program, ...others] = blocks.filter(({ language }) => language === 'ts')
  assert.deepEqual(others, [])
  const code = program!.code
    .replaceAll(/http:\/\/127\.0\.0\.1:300([12])\b/g, (_, number: string) => backends[Number(number) - 1]!.url)
    .replace('port: 8080', "port: 0, host: '127.0.0.1'")
  const running = startProgram(t, folder.write('app.ts', code))
  // The logger's lines tell where it listens.
  const [, url] = await running.until(/listening at (http:\/\/127\.0\.0\.1:\d+)/)
  const bodies: string[] = []
  for (let turn = 0; turn < 4; turn++) bodies.push((await ask(url!)).body)
  assert.deepEqual(bodies, ['one', 'two', 'one', 'two'])
  await running.until(/"outcome":"ok","method":"GET","url":"\/","status":200.*"attempts":\[\{"backend":"http/)
  assert.deepEqual(running.stderr, [])
  assert.equal(await folder.typeFaults({ 'app.ts': code }), '')
})

/** The programs of a package's README. One without imports goes on where the first one, with its app, would register a balancer. */
function programsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const [first = '', ...others] = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!)
  const begun = first.slice(0, first.search(/^await app\.register\(balancer/m))
  return [first, ...others.map((code) => (/^import /m.test(code) ? code : `${begun}${code}`))].filter(Boolean)
}

describe('the programs of the READMEs of the packages', { timeout: 400_000 }, () => {
  /** Those that name nothing that the reader has to write. */
  const names = [
    'adaptive-limit',
    'admin-routes',
    'balancer-core',
    'fastify-balancer',
    'fleet',
    'health-check',
    'mirror',
    'policies',
  ] as const
  const folder = new ProgramFolder('test/node_modules')
  after(() => folder.remove())

  test('they type-check', async () => {
    const own = names.flatMap((name) =>
      programsOf(`packages/${name}/README.md`).map((code, index) => [`${name}-${index}.ts`, code]),
    )
    const mayBeUnused = { noUnusedLocals: false, noUnusedParameters: false }
    assert.equal(await folder.typeFaults(Object.fromEntries(own), mayBeUnused), '')
  })

  for (const [index, [, text]] of [
    ...readFileSync(join(root, 'packages/policies/README.md'), 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms),
  ].entries())
    test(`file ${index + 1} of policies can be used`, async () => {
      const file = folder.write(`${index}.yaml`, text!)
      const { faults } = await readConfiguration(file, { STICKY_SECRET: 'sixteen letters or more' })
      assert.deepEqual(faults, [])
    })

  // Those of the other packages are run by their own tests.
  for (const name of ['policies', 'mirror', 'adaptive-limit'])
    for (const [index, code] of programsOf(`packages/${name}/README.md`).entries())
      test(`number ${index + 1} of ${name} runs`, async (t) => {
        const backend = await startBackend(t, (request, response) => {
          request.resume().on('end', () => response.end('hello'))
        })
        // One backend is enough: two cannot have the same address.
        const program = code
          .replace(/^await app\.listen.*\n/m, '')
          .replaceAll(/\b(backends|to): \[(?:[^[\]]|\[[^\]]*\])*\]/g, `$1: ['${backend.url}']`)
          .concat('export { app }\n')
        const file = folder.write(`${name}-${index}-runs.ts`, program)
        const { app } = (await import(file)) as { readonly app: FastifyInstance }
        t.after(() => app.close())
        assert.equal((await ask(await app.listen({ port: 0 }))).body, 'hello')
      })
})

/** It balances what it is given, or a file that is there. */
function assertRuns(command: Command): void {
  if (command.kind === 'file') assert.ok(existsSync(join(root, command.file)), command.file)
  else assert.equal(command.kind, 'serve')
}

describe('what the README says of commands and files', () => {
  const commands = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.trimEnd().split('\n'))
    .concat([...readme.matchAll(/`((?:npx|node|pnpm) [^`]+)`/g)].map(([, command]) => command!))
    .map((command) => command.replace(/ +#.*/, ''))
  const { scripts, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Readonly<
    Record<'scripts' | 'devDependencies', Readonly<Record<string, string>>>
  >

  test('they bring the Node that they need: an older one of the system is not warned of', () => {
    const [, version] = /^nodeVersion: (\S+)$/m.exec(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'))!
    assert.equal(devDependencies.node, `^${version}`)
  })

  for (const command of commands) {
    test(`\`${command}\` is one`, () => {
      const [, script, rest] = /^(?:npx --yes pnpm@12|pnpm) (?!exec )(\w+)(.*)$/.exec(command) ?? []
      if (script === undefined) {
        const [, file] = /^(?:npx --yes pnpm@12 exec )?node (\S+)$/.exec(command)!
        assert.ok(existsSync(join(root, file!)))
      } else {
        assert.ok(script in scripts)
        if (script === 'start') assertRuns(readArguments(rest!.trim().split(/ +/).filter(Boolean)))
        else assert.equal(rest, '')
      }
    })
  }

  test('it is read in one go: at most 200 lines', () => {
    assert.ok(readme.split('\n').length <= 200)
  })

  for (const file of ['README.md', ...globSync('packages/*/README.md', { cwd: root })])
    test(`the tables of ${file} are what the code says`, () => {
      const text = readFileSync(join(root, file), 'utf8')
      assert.equal(withTables(text), text, `print them with: node test/readme-tables.ts --write ${file}`)
    })

  test('there are tables of all options and all failures', () => {
    for (const [name, folder] of [
      ['options', 'fastify-balancer'],
      ['failures', 'balancer-core'],
    ] as const) {
      const text = readFileSync(join(root, 'packages', folder, 'README.md'), 'utf8')
      assert.ok(text.includes(`<!-- ${name}:end -->`), name)
    }
  })
})

/** As forges make it of a heading. */
function anchorOf(heading: string): string {
  const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
  return text.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
}

/** What links may name in a file, or in the README of a folder. */
function anchorsIn(path: string): ReadonlySet<string> {
  const file = statSync(path).isDirectory() ? join(path, 'README.md') : path
  const headings = [
    ...readFileSync(file, 'utf8')
      .replaceAll(/^```.*?^```$/gms, '')
      .matchAll(/^#+ (.+)$/gm),
  ]
  return new Set(['readme', ...headings.map(([, heading]) => anchorOf(heading!))])
}

describe('every link leads to a file, and to a heading of it', () => {
  const files = ['README.md', 'test/*/README.md', 'examples/README.md', '.github/*.md']
  for (const file of globSync(files, { cwd: root }).toSorted())
    test(file, () => {
      for (const link of linksOf(readFileSync(join(root, file), 'utf8'))) {
        if (/^(?:https?|mailto):/.test(link)) continue
        const [path = '', anchor] = link.split('#')
        const target = path === '' ? join(root, file) : join(root, dirname(file), path)
        assert.ok(existsSync(target), link)
        assert.ok(anchor === undefined || anchorsIn(target).has(anchor), link)
      }
    })
})
