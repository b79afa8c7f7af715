import * as fc from 'fast-check'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isElsewhere, routesOf } from '../../src/paths/app-routes.ts'
import { patternsOf } from '../../src/paths/route-pattern.ts'

/** Parts of patterns. */
const parts = [
  ...['/a', '/ab', '/abc', '/b', '/', '/a.b', '/%', '/é', '/b-c', '/x y (GET)'],
  ...['/:one', '/:two', '/:one.png', '/:one-:two', '/a:one', '/:n(^\\d{2}$)', '/:h(^\\d+)h:m(^\\d+)m', '/a::b'],
]
const urlPattern = fc
  .tuple(
    fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '', '/*', '*', '/:last?'),
  )
  .map(([segments, end]) => segments.join('') + end)
const path = fc
  .array(
    fc.constantFrom(
      '/a',
      '/ab',
      '/abcd',
      '/b',
      '/',
      '/a.b',
      '/%25',
      '/%C3%A9',
      '/b-c',
      '/x.png',
      '/12',
      '/1h2m',
      '/a:b',
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((segments) => segments.join(''))

test('the first pattern that matches a path is that of the route which the router takes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(urlPattern, { minLength: 1, maxLength: 8 }),
      fc.array(path, { minLength: 1, maxLength: 6 }),
      async (urls, paths) => {
        const app = Fastify()
        try {
          for (const url of new Set([...urls, '/*']))
            app.get(url, (request, reply) => void reply.send(request.routeOptions.url))
        } catch (error) {
          // The same route in two ways.
          assert.match(String(error), /already declared|Wildcard must be|Optional Parameter/)
          return
        }
        await app.ready()
        const routes = routesOf(app).of('GET')
        for (const one of paths) {
          const { body } = await app.inject({ url: one })
          const decoded = Buffer.from(decodeURIComponent(one), 'utf8').toString('latin1')
          const found = routes.find((route) => route.pattern.matches(decoded))
          const keys = patternsOf(body).map(({ key }) => key)
          assert.ok(keys.includes(found?.pattern.key ?? 'none'), `${one}: ${found?.pattern.text}, not ${body}`)
          const alike = routes.find((route) => route.pattern.resembles(decoded))
          assert.ok(alike!.pattern.rank <= found!.pattern.rank, `${one}: ${alike!.pattern.text}`)
        }
        await app.close()
      },
    ),
    { numRuns: 100 },
  )
})

test('routes of every scope and constraint are known, whenever they were registered', async (t) => {
  const app = Fastify({ routerOptions: { caseSensitive: false } })
  t.after(() => app.close())
  app.get('/Early', () => 'x')
  app.register(
    async (scope) => {
      scope.get('/', () => 'x')
      scope.register(async (inner) => inner.all('/inner/*', () => 'x'), { prefix: '/deep' })
    },
    { prefix: '/scope' },
  )
  app.get('/hosts', { constraints: { host: 'one.test' } }, () => 'x')
  app.get('/hosts', { constraints: { host: /^(?:two|three)\.test$/i } }, () => 'x')
  app.get('/both', { constraints: { host: 'one.test', version: '1.0.0' } }, () => 'x')
  app.get('/both', () => 'x')
  app.all('*', () => 'x')
  await app.ready()
  const routes = routesOf(app).of('GET')
  assert.deepEqual(
    routes.map(({ pattern: { text } }) => text),
    ['/both', '/early', '/hosts', '/scope', '/scope/', '/scope/deep/inner/*', '*'],
  )
  const places = (host: string) =>
    routes.filter((route) => isElsewhere(route, { host })).map(({ pattern }) => pattern.text)
  assert.deepEqual([places('one.test'), places('THREE.test'), places('four.test')], [[], [], ['/hosts']])
  assert.deepEqual(
    routesOf(app)
      .of('POST')
      .map(({ pattern: { text } }) => text),
    ['/scope/deep/inner/*', '*'],
  )
  assert.deepEqual(routesOf(app).of('PROPFIND'), [])
})
