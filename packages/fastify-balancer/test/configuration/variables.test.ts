import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { substitute, substituteText } from '../../src/configuration/document/variables.ts'
import { readText, told } from './file-on-disk.ts'

const env = { A: 'a', EMPTY: '', PRICE: '$${A} ${A}', toString_: 'x' }
const read = (text: string) => substituteText(text, env)

describe('variables in a text', () => {
  const cases: Readonly<Record<string, string>> = {
    '${A}': 'a',
    'x${A}y${A}z': 'xayaz',
    '${NONE:-b}': 'b',
    '${NONE:-}': '',
    '${EMPTY}': '',
    // As in a shell: an empty variable is one that nobody has filled in.
    '${EMPTY:-b}': 'b',
    '${A:-b}': 'a',
    '${NONE:-http://b:80/-:-$}': 'http://b:80/-:-$',
    '$${A}': '${A}',
    '$$${A}': '$${A}',
    '$A $(A) $ {A} {A} 5$ $': '$A $(A) $ {A} {A} 5$ $',
    // What a variable holds is not read again.
    '${PRICE}': '$${A} ${A}',
  }
  for (const [text, expected] of Object.entries(cases))
    test(`${text} is ${expected}`, () => assert.deepEqual([read(text).text, read(text).faults], [expected, []]))

  for (const text of ['${', '${}', '${A', '${A-b}', '${A:?b}', '${A:-${B}}', '${1A}', '${A B}', '${A:-{}}'])
    test(`${text} is a fault`, () => assert.match(read(text).faults.join(), /write `\$\{NAME\}`/))

  for (const name of ['NONE', 'toString', '__proto__'])
    test(`${name} is not set`, () =>
      assert.deepEqual(read(`\${${name}}`).faults, [
        `the variable ${name} is not set: set it, or give a default: \`\${${name}:-default}\``,
      ]))
})

const name = fc.stringMatching(/^[A-Za-z_]\w{0,5}$/)
const part = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), text: fc.string().filter((text) => !text.includes('$')) }),
  fc.record({ kind: fc.constant('literal' as const) }),
  fc.record({ kind: fc.constant('variable' as const), name, value: fc.string() }),
  fc.record({ kind: fc.constant('default' as const), name, text: fc.stringMatching(/^[^{}]*$/) }),
)

test('any text with variables is what its parts are, one after the other', () => {
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const given = Object.fromEntries(parts.flatMap((one) => (one.kind === 'variable' ? [[one.name, one.value]] : [])))
      const written = parts.map((one) => {
        if (one.kind === 'text') return one.text
        if (one.kind === 'literal') return '$${'
        return one.kind === 'variable' ? `\${${one.name}}` : `\${${one.name}:-${one.text}}`
      })
      const meant = parts.map((one) => {
        if (one.kind === 'text') return one.text
        if (one.kind === 'literal') return '${'
        const value = Object.hasOwn(given, one.name) ? given[one.name]! : ''
        return one.kind === 'default' && value === '' ? one.text : value
      })
      const { text, faults } = substituteText(written.join(''), given)
      assert.deepEqual([text, faults], [meant.join(''), []])
    }),
  )
})

test('every text can be written, with `$${` for `${`', () => {
  const text = fc
    .array(fc.oneof(fc.constantFrom('$', '{', '${', '}', '${A}'), fc.string()))
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.record({ one: text, others: fc.array(text) }), ({ one, others }) => {
      const escaped = (plain: string) => plain.replaceAll('${', () => '$${')
      const { value, faults } = substitute({ one: escaped(one), others: others.map(escaped) }, { A: 'a' })
      assert.deepEqual([value, faults], [{ one, others }, []])
    }),
  )
})

describe('a value that is one variable', () => {
  const file = `
listen: [{ port: "\${PORT}", trustProxy: "\${TRUST}" }]
balancers:
  - name: "\${NAME}"
    backends: [{ url: "http://\${HOST}:\${PORT}", weight: "\${WEIGHT:-2}" }]
    failureHeader: \${HEADER}
    panicThreshold: "\${PANIC}"
    requestId: "\${ID}"
    timeouts: { connect: "\${CONNECT:-1500}" }
admin: { token: "\${TOKEN}" }
metrics: "\${METRICS:-true}"
`
  const values = {
    PORT: '8080',
    TRUST: 'true',
    NAME: '7',
    HOST: 'a',
    HEADER: 'true',
    PANIC: '0.5',
    ID: 'false',
    TOKEN: '123',
  }

  test('is a number or a boolean where one is expected, and text where text is', async (t) => {
    const reading = await readText(t, file, values)
    assert.deepEqual(told(reading), [])
    const { listen, balancers, admin, metrics } = reading.configuration!
    assert.deepEqual(listen, [{ port: 8080, trustProxy: true }])
    assert.deepEqual(balancers, [
      {
        name: '7',
        backends: [{ url: 'http://a:8080', weight: 2 }],
        failureHeader: true,
        panicThreshold: 0.5,
        requestId: false,
        timeouts: { connect: 1500 },
      },
    ])
    assert.deepEqual([admin, metrics], [{ token: '123' }, {}])
  })

  for (const PORT of ['', ' 80', '080', '8_0', '0x50', '8e3', '80.5', 'Infinity', '70000', '٨٠', 'true'])
    test(`is no port if it is '${PORT}'`, async (t) => {
      const [fault] = told(await readText(t, file, { ...values, PORT, HOST: 'a' }))
      assert.match(fault!, /^2:18 listen\.0\.port: .*variable PORT/)
    })
})
