import { Ajv, type ValidateFunction } from 'ajv'
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { shippedSchema } from '../../../../test/configuration-schema.ts'
import { jsonSchema } from '../../src/configuration/schema/json-schema.ts'

const file = `
$schema: ./node_modules/fastify-balancer/configuration.schema.json
listen:
  - { port: 8080, host: 0.0.0.0, tls: { cert: a.pem, key: b.pem }, http2: true, trustProxy: [10.0.0.0/8] }
  - { path: /run/x.sock, trustProxy: private, proxyProtocol: { from: [unix], timeout: 4000 } }
balancers:
  - name: web
    policy: { name: p2c }
    backends: [http://a, { url: http://b, weight: 2 }]
    constraints: { host: a.example }
    healthCheck: { path: /health, headers: { authorization: { file: token } }, expect: { statuses: [200, 300-399] } }
    circuitBreaker: { rate: { failureShare: 0.5 }, backends: { b: false, c: { failures: 5 } } }
    adaptiveLimit: { algorithm: aimd, timeout: 2000 }
    queue: { priority: { classes: [high, low], default: low, header: x-priority, classify: { module: ./class.js } }, shed: codel }
    pool: { tls: { ca: { file: ca.pem }, minVersion: TLSv1.3 } }
    rewrite: { stripPrefix: true, request: { module: ./rewrite.js, export: request } }
    requestId: x-request-id
  - { name: api, prefix: /api, policy: { module: policy.js }, backends: [], healthCheck: false, panicThreshold: false }
admin: { token: { file: token }, basicAuth: { file: users }, listen: { port: 9000 } }
metrics: true
dashboard: { path: /page }
underPressure: { maxEventLoopDelay: 500 }
log: { form: json, level: warn }
`

const good: Readonly<Record<string, string>> = {
  'everything that a file may hold': file,
  'variables for numbers, booleans and names': `
listen: [{ port: "\${PORT:-80}", http2: "\${HTTP2}", trustProxy: "\${TRUST}" }]
balancers:
  - policy: "\${POLICY}"
    backends: [{ url: "\${URL}", weight: "\${WEIGHT}" }]
    timeouts: { connect: "\${CONNECT}" }
    healthCheck: { path: "\${BASE}/health", expect: { statuses: ["\${STATUS}"] } }
    panicThreshold: "\${PANIC}"
metrics: "\${METRICS}"
log: { level: "\${LEVEL:-info}" }`,
}

const faulty: Readonly<Record<string, readonly [text: string, place: string]>> = {
  'nothing that is balanced': ['metrics: true', ''],
  'an unknown option': ['balancers: [{ polcy: p2c }]', '/balancers/0'],
  'an unknown policy': ['balancers: [{ policy: p2 }]', '/balancers/0/policy'],
  'text for a number': ['balancers: [{ timeouts: { connect: soon } }]', '/balancers/0/timeouts/connect'],
  'a number among other text': ['balancers: [{ timeouts: { connect: "1${ZEROS}" } }]', '/balancers/0/timeouts/connect'],
  'a port too large': ['{ listen: [{ port: 80800 }], balancers: [{}] }', '/listen/0/port'],
  'a backend without an address': ['balancers: [{ backends: [{ id: a }] }]', '/balancers/0/backends/0'],
  'a function': ['balancers: [{ rewrite: { request: x } }]', '/balancers/0/rewrite/request'],
}

describe('the JSON Schema of the file', () => {
  let validate: ValidateFunction
  before(() => {
    validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(shippedSchema() as object)
  })

  test('is as the code has it: `node test/configuration-schema.ts --write` if not', () => {
    assert.deepEqual(shippedSchema(), jsonSchema())
  })

  for (const [name, text] of Object.entries(good))
    test(`takes ${name}`, () => {
      validate(parse(text))
      assert.deepEqual(validate.errors, null)
    })

  for (const [name, [text, place]] of Object.entries(faulty))
    test(`refuses ${name}`, () => {
      assert.equal(validate(parse(text)), false)
      assert.ok(validate.errors!.some(({ instancePath }) => instancePath === place))
    })
})
