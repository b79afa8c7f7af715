import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describe, test } from 'node:test'
import { elsewhere, localhost } from '../../../../test/support/certificates.ts'
import { readConfiguration } from '../../src/configuration/reading.ts'
import { folderWith, readText, told } from './file-on-disk.ts'

const site = (rest = '') => `balancers:\n  - backends: [http://127.0.0.1:3001]\n${rest}`

test('the file of the issue is read', async (t) => {
  const text = `
listen:
  - { port: 8080, host: 127.0.0.1 }
balancers:
  - name: web
    prefix: /
    policy: p2c
    backends: [http://127.0.0.1:3001, http://127.0.0.1:3002]
admin:
  token: "\${ADMIN_TOKEN}"
  listen: { port: 9000, host: 127.0.0.1 }
metrics: true
`
  const { configuration, faults, warnings, files, origins } = await readText(t, text, {
    ADMIN_TOKEN: 'open-sesame-swordfish',
  })
  assert.deepEqual([faults, warnings, files.length], [[], [], 1])
  assert.deepEqual(configuration, {
    listen: [{ port: 8080, host: '127.0.0.1' }],
    balancers: [
      { name: 'web', prefix: '/', policy: 'p2c', backends: ['http://127.0.0.1:3001', 'http://127.0.0.1:3002'] },
    ],
    admin: { token: 'open-sesame-swordfish', listen: { port: 9000, host: '127.0.0.1' } },
    metrics: {},
    dashboard: false,
    underPressure: false,
    log: {},
  })
  assert.deepEqual(origins.get('/admin/token'), { line: 10, variables: ['ADMIN_TOKEN'], secret: true })
  assert.deepEqual(origins.get('/balancers/0/policy'), { line: 7, variables: [], secret: false })
})

test('JSON is read as it is, with a byte order mark, too', async (t) => {
  const value = {
    $schema: './x.json',
    listen: [{ port: 1 }],
    balancers: [{ backends: ['http://a'], prefix: '/\u00e9' }],
  }
  const { configuration, faults } = await readText(t, `\uFEFF${JSON.stringify(value, null, '\t')}`)
  assert.deepEqual([faults, configuration?.listen, configuration?.balancers], [[], value.listen, value.balancers])
})

test('a key in the file: as it is, in a list, or by the code of a module', async (t) => {
  const policies = [
    '{ name: maglev, key: { header: x-user }, balance: 1.5 }',
    '{ name: ring, key: [{ cookie: sid }, { module: ./key.js, export: userOf }, { address: { v4: 24 } }] }',
    '{ name: rendezvous, key: { module: ./key.js, export: userOf }, balance: false }',
  ]
  const folder = await folderWith(t, {
    'balancer.yaml': `balancers:\n${policies.map((policy, index) => `  - { name: b${index}, prefix: /${index}, backends: [], policy: ${policy} }\n`).join('')}`,
    'key.js': 'export const userOf = ({ url }) => url\n',
  })
  const { configuration, faults } = await readConfiguration(join(folder, 'balancer.yaml'))
  assert.deepEqual(faults, [])
  const keys = configuration!.balancers.map(({ policy }) => (policy as { readonly key?: unknown }).key)
  assert.deepEqual(keys[0], { header: 'x-user' })
  const [, inList] = keys[1] as [object, (request: object) => string]
  assert.equal(inList({ url: '/a' }), '/a')
  assert.equal(keys[2], inList)
  const wrong = await readText(t, 'balancers:\n  - { backends: [], policy: { name: ring, key: { hedder: x } } }\n')
  assert.match(told(wrong).join(), /key\.hedder: unknown option: did you mean `header`/)
})

test('true stands for all defaults in the file, too, where code takes it', async (t) => {
  for (const option of ['hedge: true', 'circuitBreaker: { rate: true }', 'circuitBreaker: { backends: { a: true } }']) {
    const reading = await readText(t, site(`    ${option}\n`))
    assert.deepEqual(told(reading), [], option)
  }
})

test('switches are what they mean', async (t) => {
  const text = site(
    '    healthCheck: true\n    circuitBreaker: false\n    adaptiveLimit: true\nmetrics: true\nunderPressure: true\nadmin: { insecure: true }\ndashboard: true\n',
  )
  const { configuration, faults } = await readText(t, text)
  assert.deepEqual(faults, [])
  const { balancers, ...rest } = configuration!
  assert.deepEqual(balancers, [{ backends: ['http://127.0.0.1:3001'], circuitBreaker: false, adaptiveLimit: {} }])
  assert.deepEqual(rest, {
    listen: [{ port: 8080 }],
    metrics: {},
    underPressure: {},
    admin: { insecure: true },
    dashboard: {},
    log: {},
  })
})

describe('what stands elsewhere', () => {
  const files = {
    token: 'swordfish\n',
    windows: 'swordfish\r\n',
    users: `maria:$2y$05$${'a'.repeat(53)}\n`,
    'cert.pem': localhost.cert,
    'key.pem': localhost.key,
    'code.js': 'export const request = () => 1\nexport default { name: "mine", over: () => {} }\n',
  }

  test('is read relative to the file, and is among the files to be watched', async (t) => {
    const text = site(`    rewrite: { request: { module: code.js, export: request } }
    policy: { module: ./code.js }
    healthCheck: { headers: { authorization: { file: windows } } }
    pool: { tls: { ca: { file: cert.pem } } }
listen: [{ port: 1, tls: { cert: cert.pem, key: key.pem } }, { path: run.sock, trustProxy: [private, 192.0.2.1] }]
admin: { token: { file: "\${NAME}" }, basicAuth: { file: users }, persist: state.json }
`)
    const folder = await folderWith(t, { ...files, 'site.yaml': text })
    const reading = await readConfiguration(join(folder, 'site.yaml'), { NAME: 'token' })
    assert.deepEqual(told(reading), [])
    const { balancers, listen, admin } = reading.configuration!
    const [balancer] = balancers
    assert.equal(balancer!.rewrite!.request!.name, 'request')
    assert.equal((balancer!.policy as { readonly name: string }).name, 'mine')
    assert.deepEqual(balancer!.healthCheck, { headers: { authorization: 'swordfish' } })
    assert.deepEqual(balancer!.pool, { tls: { ca: localhost.cert.trimEnd() } })
    assert.deepEqual(listen, [
      { port: 1, tls: { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') } },
      { path: join(folder, 'run.sock'), trustProxy: ['loopback', 'linklocal', 'uniquelocal', '192.0.2.1'] },
    ])
    assert.deepEqual(admin, {
      token: 'swordfish',
      basicAuth: join(folder, 'users'),
      persist: join(folder, 'state.json'),
    })
    assert.deepEqual(reading.files.map((file) => relative(folder, file)).toSorted(), [
      'cert.pem',
      'code.js',
      'key.pem',
      'site.yaml',
      'token',
      'users',
      'windows',
    ])
    assert.deepEqual(reading.origins.get('/admin/token'), { line: 8, variables: [], source: 'token', secret: true })
  })

  test('is to be watched, too, if it cannot be read', async (t) => {
    const reading = await readText(t, site('admin: { token: { file: none } }\n'))
    assert.match(reading.files.join(), /site\.yaml,.*none$/)
  })

  test('is found through links, as Kubernetes lays files out', async (t) => {
    const folder = await folderWith(t, {})
    await mkdir(join(folder, '..one'))
    await writeFile(join(folder, '..one/site.yaml'), site('admin: { token: { file: token } }\n'))
    await writeFile(join(folder, '..one/token'), 'one')
    await symlink('..one', join(folder, '..data'))
    await symlink('..data/site.yaml', join(folder, 'site.yaml'))
    await symlink('..data/token', join(folder, 'token'))
    const tokenNow = async () => {
      const { configuration } = await readConfiguration(join(folder, 'site.yaml'), {})
      return configuration !== undefined && configuration.admin !== false && configuration.admin.token
    }
    assert.equal(await tokenNow(), 'one')
    await mkdir(join(folder, '..two'))
    await writeFile(join(folder, '..two/site.yaml'), site('admin: { token: { file: token } }\n'))
    await writeFile(join(folder, '..two/token'), 'two')
    await symlink('..two', join(folder, '..next'))
    await rename(join(folder, '..next'), join(folder, '..data'))
    assert.equal(await tokenNow(), 'two')
  })

  test('a module is another one when its text has changed, and the same one otherwise', async (t) => {
    const folder = await folderWith(t, {
      ...files,
      'site.yaml': site('    rewrite: { request: { module: code.js, export: request } }\n'),
    })
    const requestNow = async () =>
      (await readConfiguration(join(folder, 'site.yaml'), {})).configuration!.balancers[0]!.rewrite!.request
    const first = await requestNow()
    assert.equal(await requestNow(), first)
    await writeFile(join(folder, 'code.js'), 'export const request = () => 2\n')
    assert.notEqual(await requestNow(), first)
  })
})

describe('files that are none', () => {
  test('there is none', async (t) => {
    const folder = await folderWith(t, {})
    const reading = await readConfiguration(join(folder, 'none.yaml'), {})
    assert.deepEqual(told(reading), ['1:1 : cannot read the file: there is no such file'])
    assert.deepEqual(reading.files, [join(folder, 'none.yaml')])
    assert.deepEqual(told(await readConfiguration(folder, {})), ['1:1 : cannot read the file: it is a folder'])
  })

  test('it is not text', async (t) => {
    const utf16 = Buffer.from(`\uFEFF${site()}`, 'utf16le')
    assert.deepEqual(told(await readText(t, utf16)), ['1:1 : the file is not text in UTF-8'])
  })

  test('it is huge', async (t) => {
    const reading = await readText(t, Buffer.alloc(5 * 1_048_576, '#'))
    assert.deepEqual(told(reading), ['1:1 : the file has more than 4 MiB'])
  })
})

describe('warnings', () => {
  const tls = site('listen: [{ port: 1, tls: { cert: cert.pem, key: key.pem } }]\n')
  const files = { 'site.yaml': tls, 'cert.pem': elsewhere.cert, 'key.pem': elsewhere.key }

  test('a balancer without backends', async (t) => {
    const { configuration, warnings } = await readText(t, 'balancers:\n  - backends: []\n')
    assert.ok(configuration)
    assert.deepEqual(told({ faults: warnings }), [
      '2:15 balancers.0.backends: there are none: every request is answered with 503 until some are added',
    ])
  })

  test('a certificate that is about to expire, has expired, or is not valid yet', async (t) => {
    const folder = await folderWith(t, files)
    const { X509Certificate } = await import('node:crypto')
    const { validFrom, validTo } = new X509Certificate(elsewhere.cert)
    const at = async (now: number) =>
      told({ faults: (await readConfiguration(join(folder, 'site.yaml'), {}, now)).warnings }).join()
    const [from, to, day] = [Date.parse(validFrom), Date.parse(validTo), 86_400_000]
    assert.match(
      await at(from - day),
      /^3:34 listen\.0\.tls\.cert: is not valid before \d{4}-\d\d-\d\d: clients refuse it until then$/,
    )
    assert.equal(await at(from + day), '')
    assert.match(await at(to - day), /expires on/)
    assert.match(await at(to + day), /expired on .*: clients refuse it/)
  })
})

/** Files of all shapes that have one text that is wrong: where it stands is known without reading them as YAML. */
const shapes = fc
  .record({
    style: fc.constantFrom('block', 'flow', 'json'),
    balancers: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
    at: fc.nat(),
    gaps: fc.array(fc.constantFrom('', '# é 🦊 "quoted', '   '), { minLength: 5, maxLength: 5 }),
    newline: fc.constantFrom('\n', '\r\n'),
    mark: fc.constantFrom('', '\uFEFF'),
  })
  .map(({ style, balancers, at, gaps, newline, mark }) => {
    const count = balancers.reduce((sum, backends) => sum + backends + 1, 0)
    let turn = 0
    const value = {
      balancers: balancers.map((backends, index) => ({
        name: `b${index} ü🦊`,
        prefix: `/${index}`,
        backends: Array.from({ length: backends + 1 }, (_, port) => {
          const weight = turn++ === at % count ? 'wrong' : 1
          return { id: `${index}-${port} 🦊`, url: `http://a:${index}${port}`, weight }
        }),
      })),
    }
    return { value, style, gaps, newline, mark }
  })

function written({
  value,
  style,
  gaps,
  newline,
  mark,
}: typeof shapes extends fc.Arbitrary<infer Shape> ? Shape : never): string {
  const { balancers } = value
  const flow = balancers.map((one) => `  - ${JSON.stringify(one).replaceAll('","', '", "')}`)
  const block = balancers.flatMap(({ name, prefix, backends }) => [
    `  -   name: "${name}"`,
    `      prefix: ${prefix}`,
    '      backends:',
    ...backends.flatMap(({ id, url, weight }) => [
      `      - id: '${id}'`,
      `        url: ${url}`,
      `        weight: ${weight}`,
    ]),
  ])
  const json = JSON.stringify(value, null, 2).split('\n')
  const lines = style === 'json' ? json : ['balancers:', ...(style === 'flow' ? flow : block)]
  const withGaps = lines.flatMap((line, index) =>
    style === 'json' ? [line] : [line, ...gaps.slice(index % 5, (index % 5) + 1)],
  )
  return mark + withGaps.join(newline)
}

test('the place of a fault is where it stands, whatever the file looks like', async (t) => {
  const folder = await folderWith(t, {})
  await fc.assert(
    fc.asyncProperty(shapes, async (shape) => {
      const text = written(shape)
      await writeFile(join(folder, 'site.yaml'), text)
      const { faults } = await readConfiguration(join(folder, 'site.yaml'), {})
      // In JSON, the text begins with its quote.
      const start = text.indexOf('wrong') - (shape.style === 'block' ? 0 : 1)
      const before = text.slice(shape.mark.length, start).split(shape.newline)
      assert.deepEqual(
        faults.map(({ line, column, length }) => [line, column, length]),
        [[before.length, before.at(-1)!.length + 1, shape.style === 'block' ? 5 : 7]],
      )
    }),
    { numRuns: 60 },
  )
})
