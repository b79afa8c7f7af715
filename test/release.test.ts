import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { addressOf, webOf } from './release/forge.ts'
import { publicPackages, withOrigin } from './release/public-packages.ts'
import { isForgeRunner, obstacles } from './release/readiness.ts'
import { linksOf, standingAlone } from './release/standing-alone.ts'

const root = join(import.meta.dirname, '..')
const web = 'https://forge.test/owner/name'
const source = { web, tag: 'v1.2.3' }

test('a repository may be written as npm allows it, and must be one that people can open', () => {
  for (const repository of [web, `${web}.git`, `git+${web}.git`, { url: `git+${web}.git` }, `${web}/`])
    assert.equal(webOf(repository), web)
  assert.throws(() => webOf(undefined), /`repository` is missing/)
  for (const repository of ['owner/name', { url: 'git@forge.test:owner/name' }, {}])
    assert.throws(() => webOf(repository))
})

test('addresses are those of the forge', () => {
  assert.equal(addressOf(source, 'a/b.md', 'blob'), `${web}/blob/v1.2.3/a/b.md`)
  const gitlab = { web: 'https://gitlab.test/owner/name', tag: 'v1' }
  assert.equal(addressOf(gitlab, 'a', 'tree'), 'https://gitlab.test/owner/name/-/tree/v1/a')
})

test('a README stands alone: links and pictures become addresses, code and addresses stay', () => {
  const place = { source, folder: 'packages/one', isFolder: (path: string) => path === 'packages/two' }
  const given = [
    '[two](../two#readme), [file](../../a.md), [here](#here), [web](https://x.test/a), [![p](p.png)](../two)',
    '<source srcset="../d.svg"><img src="../l.svg"> <a href="../../a.md">a</a>',
    '```md\n[two](../two)\n```',
    '![one](one.svg)',
  ].join('\n\n')
  const wanted = [
    `[two](${web}/tree/v1.2.3/packages/two#readme), [file](${web}/blob/v1.2.3/a.md), [here](#here), [web](https://x.test/a), [![p](${web}/raw/v1.2.3/packages/one/p.png)](${web}/tree/v1.2.3/packages/two)`,
    `<source srcset="${web}/raw/v1.2.3/packages/d.svg"><img src="${web}/raw/v1.2.3/packages/l.svg"> <a href="${web}/blob/v1.2.3/a.md">a</a>`,
    '```md\n[two](../two)\n```',
    `![one](${web}/raw/v1.2.3/packages/one/one.svg)`,
  ].join('\n\n')
  assert.equal(standingAlone(given, place), wanted)
})

test('a manifest says where its package comes from', () => {
  const given = { name: 'one', version: '1.2.3', license: 'MIT' }
  assert.deepEqual(withOrigin(given, 'packages/one', source), {
    ...given,
    repository: { type: 'git', url: `git+${web}.git`, directory: 'packages/one' },
    homepage: `${web}/tree/v1.2.3/packages/one#readme`,
    bugs: { url: `${web}/issues` },
  })
})

test('only a runner that a forge vouches for may publish', () => {
  assert.ok(isForgeRunner({ GITHUB_ACTIONS: 'true', ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x.test' }))
  assert.ok(isForgeRunner({ GITLAB_CI: 'true', SIGSTORE_ID_TOKEN: 'x' }))
  for (const environment of [{}, { CI: 'true' }, { GITHUB_ACTIONS: 'true' }, { SIGSTORE_ID_TOKEN: 'x' }])
    assert.ok(!isForgeRunner(environment))
})

describe('the packages of this workspace', () => {
  const packages = publicPackages(root)
  const names = packages.map(({ manifest }) => manifest.name)

  test('come after what they need', () => {
    for (const [index, { manifest }] of packages.entries())
      for (const needed of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
        assert.ok(!names.includes(needed) || names.indexOf(needed) < index, `${manifest.name} needs ${needed}`)
    assert.ok(names.includes('fastify-balancer'))
  })

  for (const { folder, manifest } of packages)
    test(`${manifest.name} shows on npm what it is, and its README stands alone`, () => {
      const { description, keywords, license, author } = JSON.parse(
        readFileSync(join(root, folder, 'package.json'), 'utf8'),
      ) as Record<string, string | string[]>
      assert.ok(description && keywords!.length > 0)
      assert.deepEqual([license, author], ['MIT', 'fastify-balancer contributors'])
      const isFolder = (path: string) => statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() ?? false
      const text = standingAlone(readFileSync(join(root, folder, 'README.md'), 'utf8'), { source, folder, isFolder })
      for (const link of linksOf(text)) {
        assert.match(link, /^(?:https:|#)/)
        const [, path] = /^https:\/\/forge\.test\/owner\/name\/(?:blob|tree|raw)\/v1\.2\.3\/([^#]+)/.exec(link) ?? []
        if (path !== undefined) assert.ok(existsSync(join(root, path)), link)
      }
    })
})

/** A workspace of two packages, of which the first needs the second, in a repository. */
function workspace(t: TestContext): string {
  const place = mkdtempSync(join(tmpdir(), 'release-test-'))
  t.after(() => rmSync(place, { recursive: true }))
  const write = (file: string, content: string | object) => {
    mkdirSync(dirname(join(place, file)), { recursive: true })
    writeFileSync(join(place, file), typeof content === 'string' ? content : JSON.stringify(content))
  }
  write('package.json', { private: true, repository: web })
  write('pnpm-workspace.yaml', 'packages: [packages/*]\n')
  write('.gitignore', 'node_modules/\n')
  write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n## 1.2.3\n\n- The first.\n')
  for (const [name, others] of [
    ['a', { dependencies: { b: 'workspace:*' } }],
    ['b', {}],
  ] as const) {
    write(`packages/${name}/package.json`, { name, version: '1.2.3', files: ['index.js'], ...others })
    write(`packages/${name}/index.js`, 'export {}\n')
    write(`packages/${name}/README.md`, `[the other](../${name === 'a' ? 'b' : 'a'}#readme)\n`)
  }
  mkdirSync(join(place, 'packages/a/node_modules'))
  symlinkSync('../../b', join(place, 'packages/a/node_modules/b'))
  const git = (...args: string[]) => execFileSync('git', args, { cwd: place })
  git('init', '--quiet')
  git('add', '.')
  git('-c', 'user.name=a', '-c', 'user.email=a@b.test', 'commit', '--quiet', '--message', 'first')
  git('tag', 'v1.2.3')
  return place
}

function release(place: string, args: readonly string[] = [], more: Readonly<Record<string, string>> = {}) {
  const env = {
    ...process.env,
    NODE_TEST_CONTEXT: undefined,
    GITHUB_ACTIONS: undefined,
    GITLAB_CI: undefined,
    ...more,
  }
  return spawnSync(process.execPath, [join(root, 'test/release/release.ts'), ...args], {
    cwd: place,
    env,
    encoding: 'utf8',
  })
}

test('everything that stands in the way is told at once', (t) => {
  const place = workspace(t)
  assert.deepEqual(obstacles(place, publicPackages(place)), [])
  writeFileSync(join(place, 'package.json'), '{}')
  writeFileSync(join(place, 'CHANGELOG.md'), '## Unreleased\n\n- Something.\n')
  writeFileSync(join(place, 'packages/a/package.json'), '{ "name": "a", "version": "1.2.4" }')
  const told = obstacles(place, publicPackages(place))
  assert.deepEqual(
    told.map((one) => one.replace(/;.*/, '')),
    [
      'package.json: `repository` is missing',
      'b is 1.2.3, and a is 1.2.4',
      'CHANGELOG.md has no entry for 1.2.4',
      'CHANGELOG.md still has changes under "Unreleased"',
      'there are changes that are not committed',
      'this commit has no tag v1.2.4',
    ],
  )
})

test('without `--publish`, all is packed as npm shall have it, in order, and nothing is published', (t) => {
  const { status, stdout } = release(workspace(t))
  const [, place = ''] =
    /^packed b 1\.2\.3\npacked a 1\.2\.3\nnothing is published; packages are in (.+)\n$/.exec(stdout) ?? []
  assert.notEqual(place, '', stdout)
  t.after(() => rmSync(place, { recursive: true }))
  assert.equal(status, 0)
  const packed = join(place, 'a/package')
  const { dependencies, repository } = JSON.parse(readFileSync(join(packed, 'package.json'), 'utf8')) as Record<
    string,
    object
  >
  assert.deepEqual(dependencies, { b: '1.2.3' })
  assert.deepEqual(repository, { type: 'git', url: `git+${web}.git`, directory: 'packages/a' })
  assert.equal(readFileSync(join(packed, 'README.md'), 'utf8'), `[the other](${web}/tree/v1.2.3/packages/b#readme)\n`)
})

test('nobody but a forge publishes, and nothing is even packed', (t) => {
  const { status, stdout } = release(workspace(t), ['--publish'], {
    // Whatever becomes of this program, the test publishes nothing.
    npm_config_registry: 'http://127.0.0.1:9',
  })
  assert.equal(stdout, 'in the way: only the runner of a forge can sign where a package comes from\n')
  assert.equal(status, 1)
})
