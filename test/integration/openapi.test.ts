import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import swagger from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'

/** One thing that can be asked for, as far as it is looked at. */
interface Operation {
  readonly tags?: readonly string[]
  readonly operationId?: string
  readonly summary?: string
  readonly responses: Readonly<Record<string, { readonly description?: string }>>
}

type Document = Record<string, unknown> & { readonly paths: Record<string, Record<string, Operation>> }

/** The document of an app with everything that is on by default, an own route, and two balancers. */
async function documentOf(t: TestContext, openapi: string): Promise<Document> {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(swagger, { openapi: { openapi, info: { title: 'a', version: '1' } } })
  app.get('/own', async () => 'own')
  await app.register(balancer, { backends: ['http://127.0.0.1:1'] })
  await app.register(balancer, { name: 'api', prefix: '/api', backends: ['http://127.0.0.1:1'] })
  await app.register(healthCheck, { balancer: 'default', initial: 'up' })
  await app.register(circuitBreaker, { balancer: 'default' })
  await app.register(adminRoutes, { insecure: true })
  await app.ready()
  return JSON.parse(JSON.stringify(app.swagger())) as Document
}

/** What the official meta-schema of its version says against it. */
async function faultsOf(document: Document): Promise<unknown> {
  const { valid, errors } = await new Validator().validate(document)
  return valid ? [] : errors
}

const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ at: `${method} ${path}`, path, ...operation })),
  )

for (const version of ['3.0.3', '3.1.0'])
  describe(`the OpenAPI document, ${version}`, () => {
    test('is one, as the official schema says', async (t) => {
      const document = await documentOf(t, version)
      assert.equal(document['openapi'], version)
      assert.deepEqual(await faultsOf(document), [])
      // The schema is asked in earnest.
      const [[path, methods]] = Object.entries(document.paths) as [[string, Record<string, Operation>]]
      const broken = { ...document, paths: { ...document.paths, [path]: { ...methods, get: { tags: 'x' } } } }
      assert.notDeepEqual(await faultsOf(broken as unknown as Document), [])
    })

    test('names every operation once, tags it, and describes each response', async (t) => {
      const operations = operationsOf(await documentOf(t, version)).filter(({ path }) => path !== '/own')
      assert.ok(operations.length >= 17)
      for (const { at, operationId, summary, tags, responses } of operations) {
        assert.match(operationId ?? '', /^[a-z][A-Za-z]+$/, at)
        assert.ok((summary ?? '').length > 0, at)
        assert.deepEqual(tags, ['load-balancer'], at)
        assert.ok(
          Object.keys(responses).some((status) => status.startsWith('2')),
          at,
        )
        for (const [status, { description = '' }] of Object.entries(responses))
          assert.ok(description !== '' && description !== 'Default Response', `${at} ${status}`)
      }
      const ids = operations.map(({ operationId }) => operationId)
      assert.equal(new Set(ids).size, ids.length)
    })

    test('says how each operation may be refused, and what else the probes and events answer', async (t) => {
      const operations = operationsOf(await documentOf(t, version)).filter(({ path }) => path !== '/own')
      const statusesOf = new Map(operations.map(({ at, responses }) => [at, Object.keys(responses)]))
      for (const [at, statuses] of statusesOf)
        for (const status of ['4XX', '5XX']) assert.ok(statuses.includes(status), `${at} ${status}`)
      assert.deepEqual(statusesOf.get('get /_balancer/events'), ['200', '400', '404', '503', '4XX', '5XX'])
      assert.deepEqual(statusesOf.get('get /_balancer/ready'), ['200', '503', '4XX', '5XX'])
      assert.deepEqual(statusesOf.get('get /_balancer/live'), ['200', '4XX', '5XX'])
    })

    test('holds the app’s own routes and the admin routes, and not what is forwarded', async (t) => {
      const document = await documentOf(t, version)
      const others = Object.keys(document.paths).filter((path) => !path.startsWith('/_balancer/'))
      assert.deepEqual(others, ['/own'])
      assert.doesNotMatch(JSON.stringify(Object.keys(document.paths)), /\*/)
    })
  })
