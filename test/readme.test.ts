import assert from 'node:assert/strict'
import { exec, execFile, spawnSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { before, after, describe, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { readConfiguration } from '../packages/fastify-balancer/src/configuration/reading.ts'
import { readArguments, type Command } from '../packages/fastify-balancer/src/command/arguments.ts'
import { withTables } from './readme-tables.ts'
import { startApp } from './support/app.ts'
import { ask } from './support/ask.ts'
import { asked, startBackend, unusedOrigin, type TestBackend } from './support/backend.ts'
import { startProgram, type Program } from './support/program.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

interface Block {
  readonly language: string
  /** The heading, or the bold beginning of a paragraph, that stands nearest before it. */
  readonly title: string
  readonly code: string
}

const blocks: Block[] = [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(({ 1: language, 2: code, index }) => ({
  language: language!,
  title: [...readme.slice(0, index).matchAll(/^(?:#+ |\*\*)(\w[\w -]*)/gm)].at(-1)![1]!,
  code: code!,
}))
const programs = blocks.filter(({ language }) => language === 'ts')
const [whole] = programs

/** A block as a program: the first is one; every other goes into it, where the README says. */
function programOf({ code }: Block): string {
  const program = code.includes('app.listen') ? code : whole!.code.replace(/^(?=await app\.listen)/m, code)
  // The logger's lines tell where it listens.
  return program.replace('port: 8080', "port: 0, host: '127.0.0.1'")
}

interface Running {
  readonly url: string
  readonly program: Program
  /** Those that the README calls 127.0.0.1:3001, 3002 and 3003; they answer with `one`, `two`, `three`. */
  readonly backends: readonly TestBackend[]
}

async function bodies(url: string, count: number): Promise<string[]> {
  const answers: string[] = []
  for (let turn = 0; turn < count; turn++) answers.push((await ask(url)).body)
  return answers
}

/** Runs the commands of the README that operate a balancer: all at once, since the stream of events does not end. */
async function curlAsOperator(host: string): Promise<void> {
  const { code } = blocks.find(({ language, title }) => language === 'sh' && title === 'Operate it')!
  const commands = code.replaceAll('\\\n', '').replaceAll('localhost:8080', host).trim().split('\n')
  const answers = commands.map(async (command) => {
    const { stdout } = await promisify(exec)(`${command} -sS --max-time 5`).catch((error: { stdout: string }) => error)
    return stdout
  })
  const [list, drained, idle, events] = await Promise.all(answers)
  assert.match(list!, /^\{"revision":1,"backends":\[\{"id":"three"/)
  assert.match(drained!, /"state":"drain"/)
  assert.match(idle!, /"idle":true/)
  assert.match(events!, /^retry: 3000$/m)
}

/** What each block must do. */
const checks: Record<string, (running: Running) => Promise<unknown>> = {
  async 'fastify-balancer'({ url, program }) {
    assert.deepEqual(await bodies(url, 4), ['one', 'two', 'one', 'two'])
    await program.until(/"outcome":"ok","method":"GET","url":"\/","status":200.*"attempts":\[\{"backend":"http/)
  },

  async Hooks({ url, program, backends }) {
    assert.deepEqual(await bodies(url, 2), ['one', 'two'])
    for (let turn = 0; turn < 3; turn++) assert.equal((await ask(url, { method: 'POST' })).body, 'one')
    await Promise.all(backends.map((backend) => backend.stop()))
    assert.equal((await ask(url)).status, 502)
    for (const backend of backends.slice(0, 2))
      await program.until(new RegExp(`"msg":"${backend.url}: connect-refused"`))
  },

  async Vetoes({ url }) {
    assert.deepEqual(await bodies(url, 3), ['two', 'two', 'two'])
    assert.equal((await ask(`${url}/disk-is-fine`, { method: 'POST' })).status, 204)
    assert.deepEqual((await bodies(url, 2)).sort(), ['one', 'two'])
  },

  async 'The set'({ url, program }) {
    await program.until(/"idle":true,"revision":2,"msg":"swapped"/)
    assert.deepEqual(await bodies(url, 3), ['two', 'two', 'two'])
  },

  async Options({ url, program }) {
    await program.until(/"faults":\[\],"changes":\[.*"msg":"what would change"/)
    assert.deepEqual(await bodies(url, 2), ['two', 'two'])
  },

  async Explain({ program, backends }) {
    await program.until(new RegExp(`"picked":"${backends[0]!.url}","vetoes":\\[\\],"msg":"explained"`))
    assert.ok(backends.every((backend) => asked(backend).length === 0))
  },

  async Forward({ url, backends }) {
    const post = (headers: Record<string, string>) =>
      ask(`${url}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{"a":1}',
      })
    assert.equal((await post({})).status, 400)
    assert.equal(asked(backends[0]!).length, 0)
    assert.equal((await post({ 'idempotency-key': 'k' })).body, 'one')
  },

  async Rewrite({ url, backends }) {
    const { headers, body } = await ask(`${url}/api/users?id=1`)
    const [received] = asked(backends[2]!)
    assert.deepEqual([body, headers['x-powered-by']], ['three', undefined])
    assert.equal(received!.url, '/users?id=1')
    assert.equal(received!.headers['x-tenant'], '127.0.0.1')
    assert.deepEqual(await bodies(url, 1), ['one'])
  },

  async 'What it knows'({ url, backends }) {
    const get = async (path: string) => JSON.parse((await ask(`${url}${path}`)).body) as Record<string, unknown>
    const { id, active, history } = await get('/health/first')
    assert.deepEqual([id, (active as { state: string }).state, history], [backends[0]!.url, 'up', []])
    const circuit = await get('/circuit/first')
    assert.deepEqual([circuit['backend'], circuit['state'], circuit['failures']], [backends[0]!.url, 'closed', []])
    const { status, body } = await ask(`${url}/probe/first`, { method: 'POST' })
    const { good, sent, received } = JSON.parse(body) as Record<string, unknown>
    assert.deepEqual([status, good, sent, received], [200, true, `HEAD ${backends[0]!.url}/`, 'HTTP 200'])
  },

  async 'Other limits'({ url, backends }) {
    assert.deepEqual(await bodies(`${url}/orders`, 2), ['two', 'three'])
    // One before it listened; the next ones begin somewhere in the interval.
    const probes = backends[2]!.received.filter((request) => request.url === '/health')
    assert.deepEqual(new Set(probes.map(({ method }) => method)), new Set(['GET']))
  },

  async 'When there is too much to do'({ url }) {
    assert.deepEqual((await bodies(`${url}/api/reports`, 2)).toSorted(), ['one', 'two'])
  },

  async 'Operate it'({ url }) {
    const admin = `${url}/_balancer/balancers/shop/backends`
    const headers = { 'x-admin-key': 'open sesame', 'content-type': 'application/json' }
    assert.equal((await ask(admin)).status, 401)
    assert.equal((await ask(`${url}/shop/x`)).body, 'three')
    if (spawnSync('curl', ['--version']).error === undefined) await curlAsOperator(new URL(url).host)
    else await ask(`${admin}/three/state`, { method: 'PUT', headers, body: '{"state":"drain"}' })
    assert.equal((await ask(`${url}/shop/x`, { headers })).status, 503)
    assert.match((await ask(`${url}/metrics`)).body, /^fastify_balancer_requests_total\{balancer="shop",.*"2xx"\} 1$/m)
  },

  async Channels({ url, program, backends }) {
    await ask(url)
    await program.until(new RegExp(`"took":[\\d.]+,"tried":\\["${backends[0]!.url}"\\],"msg":"ok"`))
  },
}

describe('the programs of the README', { timeout: 400_000 }, () => {
  let directory = ''
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'readme-'))
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  })
  after(() => rmSync(directory, { recursive: true }))

  async function run(t: TestContext, block: Block, file: string): Promise<Running> {
    const backends = await Promise.all(
      ['one', 'two', 'three'].map((name) =>
        startBackend(t, (request, response) => {
          request.resume()
          response.writeHead(200, { 'x-powered-by': 'steam' }).end(name)
        }),
      ),
    )
    const code = programOf(block).replaceAll(
      /http:\/\/127\.0\.0\.1:300([123])\b/g,
      (_, number: string) => backends[Number(number) - 1]!.url,
    )
    writeFileSync(join(directory, file), code)
    const program = startProgram(t, join(directory, file))
    const [, url] = await program.until(/listening at (http:\/\/127\.0\.0\.1:\d+)/)
    return { url: url!, program, backends }
  }

  for (const [index, block] of programs.entries()) {
    test(`${block.title} does what it says`, async (t) => {
      const check = checks[block.title]
      assert.ok(check, 'each block has a check')
      const running = await run(t, block, `${index}.ts`)
      await check(running)
      assert.deepEqual(running.program.stderr, [])
    })
  }

  test('every check belongs to a block', () => {
    assert.deepEqual(programs.map(({ title }) => title).sort(), Object.keys(checks).sort())
  })

  test('they type-check', async () => {
    for (const [index, block] of programs.entries()) writeFileSync(join(directory, `${index}.ts`), programOf(block))
    writeFileSync(
      join(directory, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.base.json'), files: programs.map((_, index) => `${index}.ts`) }),
    )
    const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', directory]).catch(
      (error: { stdout: string }) => error,
    )
    assert.equal(stdout, '')
  })
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
    'health-check',
    'mirror',
    'policies',
  ] as const
  let directory = ''
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'package-readmes-'))
    symlinkSync(join(root, 'test/node_modules'), join(directory, 'node_modules'))
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  })
  after(() => rmSync(directory, { recursive: true }))

  test('they type-check', async () => {
    const own = names.flatMap((name) =>
      programsOf(`packages/${name}/README.md`).map((code, index) => ({ file: `${name}-${index}.ts`, code })),
    )
    for (const { file, code } of own) writeFileSync(join(directory, file), code)
    const files = own.map(({ file }) => file)
    writeFileSync(
      join(directory, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, 'tsconfig.base.json'),
        compilerOptions: {
          noUnusedLocals: false,
          noUnusedParameters: false,
          typeRoots: [join(root, 'node_modules/@types')],
        },
        files,
      }),
    )
    const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', directory]).catch(
      (error: { stdout: string }) => error,
    )
    assert.equal(stdout, '')
  })

  for (const [index, [, text]] of [
    ...readFileSync(join(root, 'packages/policies/README.md'), 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms),
  ].entries())
    test(`file ${index + 1} of policies can be used`, async () => {
      const file = join(directory, `${index}.yaml`)
      writeFileSync(file, text!)
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
        const file = join(directory, `${name}-${index}-runs.ts`)
        writeFileSync(file, program)
        const { app } = (await import(file)) as { readonly app: FastifyInstance }
        t.after(() => app.close())
        assert.equal((await ask(await app.listen({ port: 0 }))).body, 'hello')
      })
})

describe('the life of a request is as the README has it', { timeout: 100_000 }, () => {
  const rows = readme.split('## The life of a request')[1]!.split('\n\n')[1]!.split('\n').slice(2)
  const phases = rows.map((row) => {
    const [, name, , ...seams] = row.split('|').map((cell) => cell.trim())
    return { name: name!, seams: seams.flatMap((seam) => /^`(.+)`$/.exec(seam)?.[1] ?? []) }
  })
  const seamsOf = (...names: string[]) =>
    names.flatMap((name) => phases.find((phase) => phase.name === name)?.seams ?? assert.fail(name))

  /** Tells every seam, in the order in which they are passed; resolves when an exchange has ended. */
  async function follow(t: TestContext, backends: string[], act: (url: string) => Promise<unknown>): Promise<string[]> {
    const passed: string[] = []
    const { app, url } = await startApp(t, {
      backends,
      rewrite: {
        request: () => void passed.push('rewrite.request'),
        response: () => void passed.push('rewrite.response'),
      },
    })
    for (const name of ['onPick', 'onAttemptStart', 'onAttemptResponse', 'onResponse', 'onAttemptEnd'] as const)
      app.balancer.addHook(name, () => void passed.push(name))
    const ended = new Promise<void>((resolve) => {
      for (const name of ['exchange:start', 'attempt:start', 'attempt:response', 'attempt:end', 'exchange:end']) {
        const hear = () => {
          passed.push(name)
          if (name === 'exchange:end') resolve()
        }
        subscribe(`balancer-core:${name}`, hear)
        t.after(() => unsubscribe(`balancer-core:${name}`, hear))
      }
    })
    await act(url)
    await ended
    return passed
  }

  test('a plain one', async (t) => {
    const { url: backend } = await startBackend(t)
    const passed = await follow(t, [backend], (url) => ask(url))
    assert.deepEqual(
      passed,
      phases.flatMap(({ seams }) => seams),
    )
  })

  test('one whose first backend refuses', async (t) => {
    const { url: backend } = await startBackend(t)
    const plain = phases.flatMap(({ seams }) => seams)
    const pick = plain.indexOf('onPick')
    assert.deepEqual(await follow(t, [await unusedOrigin(), backend], (url) => ask(url)), [
      ...plain.slice(0, pick),
      ...seamsOf('pick', 'attempt', 'body'),
      ...plain.slice(pick),
    ])
  })

  test('one whose client leaves', async (t) => {
    const leaving = new AbortController()
    const { url: backend } = await startBackend(t, () => leaving.abort())
    assert.deepEqual(await follow(t, [backend], (url) => ask(url, { signal: leaving.signal })), [
      ...seamsOf('judge'),
      'rewrite.request',
      ...seamsOf('pick', 'attempt', 'body', 'end'),
    ])
  })
})

/** It balances what it is given, or a file that is there. */
function assertRuns(command: Command): void {
  if (command.kind === 'file') assert.ok(existsSync(join(root, command.file)), command.file)
  else assert.equal(command.kind, 'serve')
}

describe('what the README says of commands and files', () => {
  const commands = blocks
    .filter(({ language, code }) => language === 'sh' && !code.startsWith('curl'))
    .flatMap(({ code }) => code.trimEnd().split('\n'))
    .concat([...readme.matchAll(/`((?:npx|node|pnpm) [^`]+)`/g)].map(([, command]) => command!))
    .map((command) => command.replace(/ +#.*/, ''))
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }

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

  test('every link leads to a file', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path!)
    assert.ok(links.length > 0)
    for (const path of links) assert.ok(existsSync(join(root, path)), path)
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
