import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { elsewhere, localhost } from '../../../../test/support/certificates.ts'
import { readText, told } from './file-on-disk.ts'

const site = (rest = '') => `balancers:\n  - backends: [http://127.0.0.1:3001]\n${rest}`

/** What is in the file, where the fault is, and what it must say. */
const faulty: Readonly<Record<string, readonly [text: string, place: string, message: RegExp]>> = {
  'a tab': ['balancers:\n\t- {}\n', '2:1 ', /tab.*spaces/],
  'a missing bracket': ['balancers:\n  - { backends: [a, b }\n', '2:23 ', /./],
  'a missing quote': ['balancers:\n  - name: "a\n', '3:1 ', /quote/],
  'a colon within a text': ['balancers:\n  - name: a: b\n', '2:11 ', /quotes/],
  'a missing space': ['listen:1\nbalancers: []\n', '1:1 ', /`:` and a space/],
  'a key that is given twice': [site('metrics: true\nmetrics: false\n'), '4:1 metrics', /twice.*line 3/],
  'a key that is given twice in another mapping': [
    'balancers:\n  - name: a\n    name: b\n',
    '3:5 balancers.0.name',
    /twice.*line 2/,
  ],
  'a policy that needs settings, by its name alone': [
    site('    policy: zones\n'),
    '3:13 balancers.0.policy',
    /zones need settings/,
  ],
  'a policy within another': [
    site('    policy: { name: tiers, policy: p2d }\n'),
    '3:36 balancers.0.policy.policy',
    /: expected round-robin, .*; did you mean p2c\?$/,
  ],
  'two parts in one key': [
    site('    policy: { name: maglev, key: { header: a, cookie: b } }\n'),
    '3:34 balancers.0.policy.key',
    /: expected \{ header \| cookie \| .* or a list of these$/,
  ],
  'a part of a key': [
    site('    policy: { name: maglev, key: { body: big } }\n'),
    '3:42 balancers.0.policy.key.body',
    /: expected true or a whole number$/,
  ],
  'an option of what may be off': [
    site('    hedge: { budget: 5 }\n'),
    '3:22 balancers.0.hedge.budget',
    /: expected \{ ratio, floor \}$/,
  ],
  'a share in percent': [
    site('    policy: { name: canary, share: 5 }\n'),
    '3:36 balancers.0.policy.share',
    /: expected a number from 0 to 1$/,
  ],
  'an empty file': ['', '1:1 ', /empty.*`balancers`/],
  'a file of comments': ['# nothing\n', '1:1 ', /empty/],
  'a list instead of a mapping': ['- a\n', '1:1 ', /expected a mapping/],
  'several documents': [`${site()}---\nmetrics: true\n`, '3:1 ', /several documents/],
  'another version of YAML': [`%YAML 1.1\n---\n${site()}`, '1:1 ', /1\.2.*%YAML/],
  'an alias of nothing': [site('metrics: *all\n'), '3:10 metrics', /alias.*quotes/],
  'an alias of itself': [site('admin: &a { token: a, hosts: [*a] }\n'), '3:31 admin.hosts.0', /repeats/],
  'a merge of something else': [site('admin: { <<: 1 }\n'), '3:14 admin', /alias of a mapping/],
  'a tag': [site('metrics: !on true\n'), '3:10 ', /tag.*quotes/],
  'a variable in braces': [site('log: { level: ${LEVEL} }\n'), '3:16 ', /quotes: "\$\{NAME\}"/],
  'a key that is not known': [site('metrcs: true\n'), '3:1 metrcs', /unknown.*metrics/],
  'a deep key that is not known': [site('    helthCheck: {}\n'), '3:5 balancers.0.helthCheck', /unknown.*healthCheck/],
  'a key of a backend that is not known': [
    'balancers:\n  - backends:\n      - { url: http://a, wieght: 2 }\n',
    '3:26 balancers.0.backends.0.wieght',
    /unknown.*weight/,
  ],
  'an option of a balancer at the top': [site('upstream: []\n'), '3:1 upstream', /`backends` belongs in `balancers`$/],
  'an option of the listeners at the top': [site('port: 80\n'), '3:1 port', /`port` belongs in `listen`$/],
  'an option of the backends in a balancer': [
    site('    maxInFlight: 64\n'),
    '3:5 balancers.0.maxInFlight',
    /`maxInFlight` belongs to each of `backends`$/,
  ],
  'an option of the file in a balancer': [
    site('    prometheus: true\n'),
    '3:5 balancers.0.prometheus',
    /`metrics` belongs at the top of the file$/,
  ],
  'what is missing': ['metrics: true\n', '1:1 ', /`balancers` is missing/],
  'what is missing of a backend': [
    'balancers:\n  - backends: [{ id: a }]\n',
    '2:16 balancers.0.backends.0',
    /`url` is missing/,
  ],
  'a misspelt choice': [site('    policy: p2\n'), '3:13 balancers.0.policy', /round-robin.*p2c/],
  'text for a number': [site('    maxExchanges: many\n'), '3:19 balancers.0.maxExchanges', /whole number/],
  'a number in quotes': [site('    maxExchanges: "10"\n'), '3:19 balancers.0.maxExchanges', /without quotes/],
  'a fraction': [site('    maxExchanges: 1.5\n'), '3:19 balancers.0.maxExchanges', /whole number/],
  'a number for text': [site('    name: 7\n'), '3:11 balancers.0.name', /quotes/],
  'a yes for true': [site('    failureHeader: yes\n'), '3:20 balancers.0.failureHeader', /write true/],
  'an off for false': [site('metrics: off\n'), '3:10 metrics', /write false/],
  'nothing for something': [
    site('    timeouts:\n      connect:\n'),
    '4:15 balancers.0.timeouts.connect',
    /empty.*remove/,
  ],
  'a number that begins with 0': [site('listen: [{ port: 08080 }]\n'), '3:18 listen.0.port', /octal.*quote/],
  'a time of day for a number': [site('    maxExchanges: 12:30\n'), '3:19 balancers.0.maxExchanges', /whole number/],
  'a number too large': [site('listen:\n  - port: 80800\n'), '4:11 listen.0.port', /65535/],
  'a listener without a port': [site('listen: [{ host: "::" }]\n'), '3:10 listen.0', /needs `port`, or `path`/],
  'two listeners at one place': [
    site('listen: [{ port: 80 }, { port: 80, host: 127.0.0.1 }]\n'),
    '3:24 listen.1',
    /taken.*listen\.0/,
  ],
  'a listener at every address, and another at one of them': [
    site('listen: [{ port: 80, host: 0.0.0.0 }, { port: 80, host: localhost }]\n'),
    '3:39 listen.1',
    /port 80 of localhost is taken.*listen\.0/,
  ],
  'an address in brackets': [site('listen: [{ port: 80, host: "[::1]" }]\n'), '3:28 listen.0.host', /such as.*::/],
  'a socket with a long name': [site(`listen: [{ path: /${'x'.repeat(110)} }]\n`), '3:18 listen.0.path', /is longer/],
  'a network of everyone': [
    site('listen: [{ port: 80, trustProxy: 0.0.0.0/0 }]\n'),
    '3:34 listen.0.trustProxy',
    /private or all/,
  ],
  'a proxy that is no address': [
    site('listen: [{ port: 80, proxyProtocol: { from: [10.0.0.0/8, proxy] } }]\n'),
    '3:58 listen.0.proxyProtocol.from.1',
    /'proxy' is not an address, a network such as 10\.0\.0\.0\/8, or unix/,
  ],
  'a proxy that cannot be there': [
    site('listen: [{ path: /run/x.sock, proxyProtocol: { from: [10.0.0.0/8] } }]\n'),
    '3:54 listen.0.proxyProtocol.from',
    /nobody who can connect here: expected unix/,
  ],
  'little time for a header': [
    site('listen: [{ port: 80, proxyProtocol: { from: [10.0.0.0/8], timeout: 100 } }]\n'),
    '3:68 listen.0.proxyProtocol.timeout',
    /3000/,
  ],
  'one prefix in two spellings': [
    'balancers:\n  - { name: a, prefix: /api }\n  - { name: b, prefix: /api/ }\n',
    '3:24 balancers.1.prefix',
    /balancers\.0 has the prefix/,
  ],
  'a prefix with a wildcard': [site('    prefix: /api/*\n'), '3:13 balancers.0.prefix', /without .*\*/],
  'an authority that is no certificate': [
    site('    pool: { tls: { ca: nonsense } }\n'),
    '3:24 balancers.0.pool.tls.ca',
    /certificates in PEM form/,
  ],
  'http2 without tls': [site('listen: [{ port: 80, http2: true }]\n'), '3:29 listen.0.http2', /needs `tls`/],
  'a backend that is no URL': [
    'balancers:\n  - backends: [{ url: "http://a:b" }]\n',
    '2:23 balancers.0.backends.0.url',
    /is not an address such as/,
  ],
  'a backend with a query': [
    'balancers:\n  - backends:\n      - http://a/b?c\n',
    '3:9 balancers.0.backends.0.url',
    /without \? and #/,
  ],
  'a socket without its whole path': [
    'balancers:\n  - backends:\n      - unix:app.sock\n',
    '3:9 balancers.0.backends.0.url',
    /must name a socket by its whole path/,
  ],
  'a prefix with a parameter that there is not': [
    'balancers:\n  - prefix: /api\n    rewrite: { prefix: /:tenant }\n',
    '3:24 balancers.0.rewrite.prefix',
    /no parameter of `prefix`/,
  ],
  'a backend given twice': [
    'balancers:\n  - backends: [http://a, http://a]\n',
    '2:26 balancers.0.backends.1.id',
    /already/,
  ],
  'two balancers of one name': [
    'balancers:\n  - { prefix: /a, backends: [http://a] }\n  - { backends: [http://b] }\n',
    '3:5 balancers.1.name',
    /balancers\.0.*`name`/,
  ],
  'two balancers of one prefix': [
    'balancers:\n  - { name: a, backends: [http://a] }\n  - { name: b, backends: [http://b], prefix: / }\n',
    '3:46 balancers.1.prefix',
    /balancers\.0.*`prefix`/,
  ],
  'what a plugin finds': [
    site('    healthCheck: { headers: { host: a } }\n'),
    '3:37 balancers.0.healthCheck.headers.host',
    /use the option host/,
  ],
  'a name with dots': [
    site('    healthCheck: { headers: { "a b.c": x } }\n'),
    '3:40 balancers.0.healthCheck.headers.a b.c',
    /not a valid header/,
  ],
  'an admin that is open and guarded': [
    site('admin: { token: t, insecure: true }\n'),
    '3:30 admin.insecure',
    /without `token`/,
  ],
  'a token that no header can carry': [site('admin: { token: "a b" }\n'), '3:17 admin.token', /has spaces/],
  'a file of passwords that is none': [
    site('admin: { basicAuth: { file: code.js } }\n'),
    '3:29 admin.basicAuth.file',
    /code\.js:1: /,
  ],
  'a proxy that is none': [
    site('listen: [{ port: 80, trustProxy: [10.0.0.0/8, proxy] }]\n'),
    '3:47 listen.0.trustProxy.1',
    /'proxy' is not an address/,
  ],
  'a page without admin': [site('dashboard: true\n'), '3:12 dashboard', /needs `admin`/],
  'an empty token': [site('admin: { token: "" }\n'), '3:17 admin.token', /empty/],
  'a file as other tools write it': [
    site('admin: { token: "file:/run/secrets/token" }\n'),
    '3:17 admin.token',
    /\{ file: \/run\/secrets\/token \}/,
  ],
  'a file that is not there': [
    site('admin: { token: { file: ./none } }\n'),
    '3:25 admin.token.file',
    /cannot read \.\/none: there is no such file/,
  ],
  'an empty file of a secret': [site('admin: { token: { file: empty } }\n'), '3:25 admin.token.file', /empty is empty/],
  'basic auth that is no file': [site('admin: { basicAuth: users }\n'), '3:21 admin.basicAuth', /\{ file/],
  'a module that is not there': [
    site('    rewrite: { request: { module: none.js } }\n'),
    '3:35 balancers.0.rewrite.request.module',
    /cannot read none\.js/,
  ],
  'a module that cannot be loaded': [
    site('    rewrite: { request: { module: broken.js } }\n'),
    '3:35 balancers.0.rewrite.request.module',
    /cannot load broken\.js: Error: broken/,
  ],
  'an export that is not there': [
    site('    rewrite: { request: { module: code.js, export: reqest } }\n'),
    '3:52 balancers.0.rewrite.request.export',
    /no export `reqest`: it exports `number`, `request`/,
  ],
  'an export that is not a function': [
    site('    rewrite: { request: { module: code.js, export: number } }\n'),
    '3:25 balancers.0.rewrite.request',
    /expected.* function/,
  ],
  'a variable that is not set': [
    site('    name: "a${NONE}"\n'),
    '3:11 balancers.0.name',
    /NONE is not set.*\$\{NONE:-default\}/,
  ],
  'a variable that is no number': [
    site('    maxExchanges: ${TEXT}\n'),
    '3:19 balancers.0.maxExchanges',
    /whole number.*TEXT/,
  ],
  'a number of which a part is a variable': [
    site('    maxExchanges: "1${ZEROS:-00}"\n'),
    '3:19 balancers.0.maxExchanges',
    /whole number/,
  ],
  'a variable of another shell': [site('    name: "${A:?no}"\n'), '3:11 balancers.0.name', /\$\{NAME\}.*\$\$\{/],
  'a certificate that is none': [
    site('listen: [{ port: 1, tls: { cert: empty, key: key.pem } }]\n'),
    '3:34 listen.0.tls.cert',
    /PEM/,
  ],
  'a key of another certificate': [
    site('listen: [{ port: 1, tls: { cert: cert.pem, key: key.pem } }]\n'),
    '3:49 listen.0.tls.key',
    /does not belong/,
  ],
}

const others = {
  empty: '',
  'broken.js': "throw new Error('broken')",
  'code.js': 'export const number = 1; export const request = () => {}',
  'cert.pem': localhost.cert,
  'key.pem': elsewhere.key,
}

describe('each kind of fault is told with its place and what would be right', () => {
  for (const [name, [text, place, message]] of Object.entries(faulty))
    test(name, async (t) => {
      const reading = await readText(t, text, { TEXT: 'text' }, others)
      const [fault] = told(reading)
      assert.equal(reading.configuration, undefined)
      assert.equal(fault?.slice(0, place.length + 2), `${place}: `, told(reading).join('\n'))
      assert.match(fault, message)
    })
})

test('all faults are told at once, in the order of the file', async (t) => {
  const text = site(
    '    policy: p2\n    name: "${NONE}"\nadmin: { token: { file: none } }\nmetrics: yes\nlog: { level: loud }\n',
  )
  const places = told(await readText(t, text)).map((fault) => fault.split(': ')[0])
  assert.deepEqual(places, [
    '3:13 balancers.0.policy',
    '4:11 balancers.0.name',
    '5:25 admin.token.file',
    '6:10 metrics',
    '7:15 log.level',
  ])
})

test('one fault is told once', async (t) => {
  const text = site('    timeouts: { connect: "${NONE}" }\n    rewrite: { request: { module: none.js } }\n')
  assert.equal((await readText(t, text)).faults.length, 2)
})

test('no fault shows a value, which may be a secret', async (t) => {
  const values = [
    '*s3cret',
    '!s3cret',
    '0815',
    '@s3cret',
    '"s3cret',
    '[s3cret]',
    '{ s3cret: 1 }',
    's3cret\n    s3cret: x',
    '8.15',
    '"${s3cret"',
    '"s3cret s3cret"',
  ]
  for (const value of values)
    for (const place of ['token', 'persist', 'bodyLimit', 'hosts']) {
      const faults = told(await readText(t, site(`admin: { insecure: false }\nadmin:\n  ${place}: ${value}\n`))).join(
        '\n',
      )
      assert.notEqual(faults, '')
      assert.doesNotMatch(
        faults.replaceAll(/^\S+ \S+: (?:unknown option|`s3cret` is given)/gm, ''),
        /: .*(?:s3cret|815|8\.15)/,
        value,
      )
    }
})
