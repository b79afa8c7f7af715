import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join, relative } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pnpm } from './support/pnpm.ts'

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly bin?: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
  readonly files: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

interface Finished {
  readonly code: number
  readonly output: string
}

const root = join(import.meta.dirname, '..')
const tools = join(root, 'node_modules', '.bin')
const { devDependencies: versions } = manifestOf(root)
const packages = readdirSync(join(root, 'packages'))
  .map((folder) => join(root, 'packages', folder))
  .map((path) => ({ path, manifest: manifestOf(path) }))
  // The documentation is not published.
  .filter(({ manifest }) => manifest.private !== true)

function manifestOf(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest
}

/** Runs a command, with the Node of this test as `node`. */
function run(command: string, args: readonly string[], options: { cwd?: string } = {}): Promise<Finished> {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`
  const settings = { timeout: 600_000, ...options, env: { ...process.env, PATH: path, NO_COLOR: '1' } }
  return new Promise((resolve) => {
    const child = execFile(command, args, settings, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (child.exitCode ?? -1), output: `${stdout}${stderr}` })
    })
    child.stdin?.end()
  })
}

/** Runs a command that must succeed; answers what it said. */
async function succeed(...args: Parameters<typeof run>): Promise<string> {
  const { code, output } = await run(...args)
  assert.equal(code, 0, `${args[0]} ${args[1].join(' ')}\n${output}`)
  return output
}

/** What the package of that name needs of this workspace, itself included. */
function withNeeded(name: string): string[] {
  const manifest = packages.find((one) => one.manifest.name === name)?.manifest
  if (manifest === undefined) return []
  const needed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).flatMap(withNeeded)
  return [...new Set([...needed, name])]
}

/** As strict as a user can be: the declarations of every installed package are checked, too. */
const strictest = {
  target: 'es2024',
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
  types: ['node'],
}

let place: string
const tarballs = new Map<string, string>()

before(async () => {
  place = await mkdtemp(join(tmpdir(), 'fastify-balancer-package-'))
})

after(() => rm(place, { recursive: true, force: true }))

// One after the other: building one builds what it needs, into the same folders.
describe('packing', () => {
  for (const { path, manifest } of packages)
    test(manifest.name, async () => {
      const folder = join(place, 'tarballs', basename(path))
      await mkdir(folder, { recursive: true })
      await succeed(...pnpm('pack', '--pack-destination', folder), { cwd: path })
      tarballs.set(manifest.name, join(folder, readdirSync(folder)[0]!))
    })
})

for (const { path, manifest } of packages) {
  const { name, bin, engines } = manifest
  describe(`the package ${name}`, () => {
    const project = () => join(place, 'projects', basename(path))

    test('holds what its source compiles to, what it names, and nothing else', async () => {
      const files = (await succeed('tar', ['-tzf', tarballs.get(name)!])).trim().split('\n')
      const compiled = globSync('src/**/*.ts', { cwd: path }).flatMap((file) => {
        const stem = file.replace(/^src/, 'dist').replace(/\.ts$/, '')
        return [`${stem}.d.ts`, `${stem}.js`]
      })
      assert.ok(compiled.includes('dist/index.js'))
      // What is compiled is known already; the rest is there by now, built.
      const others = manifest.files.filter((file) => !/\.(?:js|d\.ts)$/.test(file))
      const named = others.flatMap((file) =>
        globSync(file, { cwd: path, withFileTypes: true })
          .filter((one) => one.isFile())
          .map((one) => relative(path, join(one.parentPath, one.name))),
      )
      assert.deepEqual(
        files.toSorted(),
        ['LICENSE', 'README.md', 'package.json', ...named, ...compiled].map((file) => `package/${file}`).toSorted(),
      )
    })

    test('publint finds nothing', async () => {
      const output = await succeed(join(tools, 'publint'), ['--strict', tarballs.get(name)!])
      assert.match(output, /All good!/)
    })

    test('attw finds its types where modules look for them', async () => {
      await succeed(join(tools, 'attw'), ['--profile', 'esm-only', tarballs.get(name)!])
    })

    test('can be installed in an empty project, on this Node, and be imported', async () => {
      await mkdir(project(), { recursive: true })
      await writeFile(join(project(), 'package.json'), JSON.stringify({ private: true, type: 'module' }))
      const from = withNeeded(name).map((one) => tarballs.get(one)!)
      const others = ['fastify', '@types/node'].map((one) => `${one}@${versions[one]}`)
      const options = ['--engine-strict', '--no-audit', '--no-fund', '--prefer-offline']
      await succeed('npm', ['install', ...options, ...from, ...others], { cwd: project() })
      const print = `const all = await import('${name}'); console.log(typeof all.default, Object.keys(all).length > 0)`
      const output = await succeed('node', ['--input-type=module', '--eval', print], { cwd: project() })
      assert.equal(output, manifest.peerDependencies === undefined ? 'undefined true\n' : 'function true\n')
    })

    test(
      'types and runs a program of its user',
      { skip: !balances(name) && 'its plugin does not balance by itself' },
      async () => {
        const program = await readFile(join(import.meta.dirname, 'support', 'user-program.ts'), 'utf8')
        await writeFile(join(project(), 'program.ts'), program.replace("'fastify-balancer'", `'${name}'`))
        for (const module of ['nodenext', 'esnext']) {
          const moduleResolution = module === 'nodenext' ? 'nodenext' : 'bundler'
          const compilerOptions = { ...strictest, module, moduleResolution }
          const config = join(project(), `tsconfig.${moduleResolution}.json`)
          await writeFile(config, JSON.stringify({ compilerOptions, files: ['program.ts'] }))
          await succeed(join(tools, 'tsc'), ['-p', config])
        }
        const output = await succeed('node', ['program.ts'], { cwd: project() })
        assert.deepEqual(JSON.parse(output), { texts: ['GET /', 'GET /mine'], backends: 1, requests: 2 })
      },
    )

    for (const command of Object.keys(bin ?? {}))
      test(`installs the command ${command}`, async () => {
        const installed = join(project(), 'node_modules', '.bin', command)
        assert.match(await succeed(installed, ['--help'], { cwd: project() }), /--port/)
        assert.equal((await run(installed, ['--no-such-option'], { cwd: project() })).code, 2)
      })

    test('names the lowest Node that is tested', () => assert.equal(engines.node, '>=22.19'))
  })
}

/** Is it one of those whose plugin balances by itself? */
function balances(name: string): boolean {
  return name === 'fastify-balancer' || name.endsWith('/balancer-core')
}
