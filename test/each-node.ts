// Runs every test on each supported Node, not only on the workspace's own.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')

function read(...path: string[]): unknown {
  return JSON.parse(readFileSync(join(root, ...path, 'package.json'), 'utf8'))
}

const { scripts } = read() as { scripts: { test: string } }
const { engines } = read('packages', 'balancer-core') as { engines: { node: string } }

/** The lowest that the packages promise, whole: `>=22.19` is 22.19.0. */
const floor = [...engines.node.match(/\d+/g)!, '0', '0'].slice(0, 3).join('.')
const supported = [floor, '24', '26']

const help = `Usage: pnpm test:nodes [floor | newest | <version>]...

Runs all tests on one version of Node after the other. A version is exact (24.12.0), or a
major version (24: its newest release). Each is downloaded once, as the npm package 'node'.

  floor     the lowest supported version: ${floor}
  newest    the newest supported major version: ${supported.at(-1)}
  nothing   all of ${supported.join(', ')}
`

interface Round {
  readonly version: string
  readonly passed: boolean
  readonly seconds: number
}

/** Where npx keeps that version of Node. */
function fetchNode(version: string): string | undefined {
  // Away from the workspace, or npx would be content with the one that is installed here.
  const { stdout } = spawnSync(
    'npx',
    ['--yes', '--package', `node@${version}`, '--', 'node', '--print', 'process.execPath + " " + process.version'],
    { cwd: tmpdir(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [path, found] = stdout.trim().split(' v')
  return found !== undefined && `${found}.`.startsWith(`${version}.`) ? path : undefined
}

function testOn(version: string): Round {
  const started = performance.now()
  const node = fetchNode(version)
  console.log(`\n=== Node ${version}: ${node ?? 'could not be downloaded'}\n`)
  let passed = false
  if (node !== undefined) {
    const path = `${dirname(node)}${delimiter}${process.env['PATH']}`
    const { status } = spawnSync(scripts.test, {
      cwd: root,
      shell: true,
      stdio: 'inherit',
      env: { ...process.env, PATH: path },
    })
    passed = status === 0
  }
  return { version, passed, seconds: Math.round((performance.now() - started) / 1000) }
}

const given = process.argv.slice(2).filter((argument) => argument !== '--')
const unknown = given.find((argument) => !/^(?:-h|--help|floor|newest|\d+(?:\.\d+){0,2})$/.test(argument))
if (unknown !== undefined) {
  console.error(`test:nodes: '${unknown}' is not floor, newest or a version; see --help`)
  process.exitCode = 2
} else if (given.includes('-h') || given.includes('--help')) {
  process.stdout.write(help)
} else {
  const names: Readonly<Record<string, string>> = { floor, newest: supported.at(-1)! }
  const versions = given.length > 0 ? given.map((argument) => names[argument] ?? argument) : supported
  const rounds = versions.map(testOn)
  console.log('')
  for (const { version, passed, seconds } of rounds)
    console.log(`Node ${version} ${passed ? 'passed' : 'FAILED'} in ${seconds} s`)
  if (rounds.some(({ passed }) => !passed)) process.exitCode = 1
}
