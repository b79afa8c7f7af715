import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import * as fc from 'fast-check'
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { failOnCrash } from './no-crash.ts'
import { startWireBackend } from './wire-backend.ts'
import { exchange, get } from './wire-client.ts'

failOnCrash()

/** Lets in whoever has the key. */
function guard({ headers }: FastifyRequest, reply: FastifyReply, done: () => void): void {
  if (headers['x-key'] === 'right') done()
  else reply.code(401).send('no key')
}

const forward = (_request: FastifyRequest, reply: FastifyReply) => reply.forward()
const answer = (_request: FastifyRequest, reply: FastifyReply) => void reply.send('own')

/** Asks for paths: answers the status, and what the backend was asked for, if it was. */
type Ask = (path: string, ...fields: string[]) => Promise<string | number>

interface Start {
  readonly options?: BalancerOptions
  readonly server?: FastifyServerOptions
  readonly before?: (app: FastifyInstance) => void
  readonly after?: (app: FastifyInstance) => void
}

/** An app with a balancer, and routes that were registered before and after it. */
async function start(t: TestContext, { options, server = {}, before, after }: Start): Promise<Ask> {
  const backend = await startWireBackend(t)
  const app = Fastify(server)
  before?.(app)
  await app.register(balancer, { backends: [backend.url], ...options })
  after?.(app)
  const { port } = await listenApp(t, app)
  return async (path, ...fields) => {
    const earlier = backend.requests.length
    const { status } = await exchange(t, port, get(path, ...fields))
    const request = backend.requests[earlier]
    if (request === undefined) return status
    assert.equal(request.start, `GET ${path} HTTP/1.1`)
    return 'forwarded'
  }
}

async function expectEach(ask: Ask, paths: readonly string[], expected: string | number, ...fields: string[]) {
  const answers: Record<string, string | number> = {}
  for (const path of paths) answers[path] = await ask(path, ...fields)
  assert.deepEqual(answers, Object.fromEntries(paths.map((path) => [path, expected])))
}

/** Dot segments, as they are read by one server or another. */
const dots = [
  '/x/../admin/x',
  '/./admin/x',
  '/x/%2e%2e/admin/x',
  '/x/%2E%2E/admin/x',
  '/x/.%2e/admin/x',
  '/x/%2e./admin/x',
  '/%2e/admin/x',
  '/x/..%2fadmin/x',
  '/x%2f..%2fadmin/x',
  '/x/..\\admin/x',
  '/x\\..\\admin/x',
  '/x%5c..%5cadmin/x',
  '/x/..;/admin/x',
  '/x/..;a=b/admin/x',
  '/x/..%3b/admin/x',
  '/x/..%00/admin/x',
  '/x/..%00.png/admin/x',
  '/x/..%3f/admin/x',
  '/x/..%23/admin/x',
  '/x/..%20/admin/x',
  '/x/%20../admin/x',
  '/x/.%0a./admin/x',
  '/x/%252e%252e/admin/x',
  '/x/%25252e%25252e/admin/x',
  '/x/%2%65%2%65/admin/x',
  '/x/..%252fadmin/x',
  '/x/..%255cadmin/x',
  '/.',
  '/..',
  '/x/.',
  '/x/..',
  '/..;',
  '/x/./y',
  '/%2e',
  '/x/.?y',
  '/%25252525252525252e',
]

/** Other spellings of `/admin/x`. */
const spellings = [
  '//admin/x',
  '///admin/x',
  '/\\admin/x',
  '/admin\\x',
  '/admin%2fx',
  '/admin%2Fx',
  '/%2fadmin/x',
  '/admin%5cx',
  '/%5cadmin/x',
  '/%61dmin%2fx',
  '/admin%252fx',
  '/admin%255cx',
  '/admin%25252fx',
  '/%2561dmin/x',
  '/%252561dmin/x',
  '/admin;/x',
  '/admin;a=b/x',
  '/admin%3ba=b/x',
  '/admin%253ba/x',
  '/;/admin/x',
  '/;a/admin/x',
  '/admin;%2fx',
  '/ADMIN/x',
  '/Admin/x',
  '/%41dmin/x',
  '/admiN%2fx',
  '/;a//ADMIN%5cx',
  '/admin%00/x',
  '/admin%00',
  '/admin%3fx',
  '/admin%23x',
  '/admin./x',
  '/admin%20/x',
  '/admin%2e%20/x',
  '/admin',
  '/admin?x',
  '/ADMIN/',
  '/ADMIN',
]

/** What is another route in no spelling, and goes on byte for byte. */
const harmless = [
  '/',
  '//',
  '/x',
  '/x/',
  '/X/Y',
  '/a//b',
  '//a',
  '/a///',
  '/@scope%2fname',
  '/@scope%2Fname/-/name-1.0.0.tgz',
  '/projects/group%2Fproject',
  '/projects/group%252Fproject',
  '/a.b/..c',
  '/a../b',
  '/...',
  '/.../x',
  '/.well-known/x',
  '/x/.env',
  '/a..b',
  '/?x=../..',
  '/x?x=/../admin/x&y=%2e%2e//admin',
  '/x?//admin/x',
  '/x;a=b;c/y;d',
  '/x;',
  '/;',
  '/a%20b%00c',
  '/x\\y',
  '/%5cx',
  '/%c3%a9/%E2%82%AC',
  '/administrator',
  '/admins/x',
  '/x/admin/x',
  '/x%2fadmin%2fx',
  '/%61',
  '/x%252fy',
  '/:admin/x',
  '/*',
]

const guarded = (app: FastifyInstance) => app.all('/admin/*', { onRequest: guard }, forward)

for (const [when, routes] of [
  ['before the balancer', { before: guarded }],
  ['after the balancer', { after: guarded }],
] as const) {
  describe(`a route that is guarded, registered ${when}`, () => {
    test('cannot be reached by another spelling of its path', async (t) => {
      const ask = await start(t, routes)
      await expectEach(ask, ['/admin/x', '/admin/', '/admin/x/', '/admin//x', '/%61dmin/x', '/admin/a%2fb'], 401)
      await expectEach(ask, [...dots, ...spellings], 400)
      // Nor with the key: it is not known whether another guard should have been asked.
      await expectEach(ask, [...dots, ...spellings, '/admin/../admin/x', '/admin/.'], 400, 'x-key: right')
    })

    test('can be reached by its own, and all else crosses byte for byte', async (t) => {
      const ask = await start(t, routes)
      const own = [
        '/admin/x',
        '/admin/',
        '/admin/x/',
        '/admin//x',
        '/%61dmin/x',
        '/admin/a%2fb',
        '/admin/x;y',
        '/admin/X',
      ]
      await expectEach(ask, own, 'forwarded', 'x-key: right')
      await expectEach(ask, harmless, 'forwarded')
    })
  })
}

test('an absolute target is judged by its path', async (t) => {
  const backend = await startWireBackend(t)
  const app = Fastify()
  await app.register(balancer, { backends: [backend.url] })
  guarded(app)
  const { port } = await listenApp(t, app)
  for (const path of [...dots, ...spellings].filter((one) => one.startsWith('/')))
    assert.equal((await exchange(t, port, get(`http://a.example${path}`))).status, 400, path)
  assert.equal((await exchange(t, port, get('http://a.example/admin/x'))).status, 401)
  assert.equal(backend.requests.length, 0)
})

test('with paths: as-is, everything crosses byte for byte', async (t) => {
  const ask = await start(t, { options: { paths: 'as-is' }, after: guarded })
  const known = (path: string) => !path.includes('%2%')
  await expectEach(ask, [...dots, ...spellings, ...harmless].filter(known), 'forwarded')
  await expectEach(ask, ['/admin/x'], 401)
})

test('without routes of the app there is nothing to be confused with, but for dot segments', async (t) => {
  const ask = await start(t, {})
  await expectEach(ask, dots, 400)
  await expectEach(ask, [...spellings, ...harmless], 'forwarded')
})

describe('guards of other shapes', () => {
  test('an exact path, guarded or answered by the app', async (t) => {
    const ask = await start(t, {
      before: (app) => {
        app.all('/admin', { onRequest: guard }, forward)
        app.get('/Health/live', answer)
      },
    })
    await expectEach(ask, ['/admin'], 401)
    await expectEach(ask, ['/Health/live', '/Health/live?x'], 200)
    await expectEach(
      ask,
      [
        '/admin/',
        '/ADMIN',
        '//admin',
        '/admin//',
        '/admin;x',
        '/admin%2f',
        '/admin%00x',
        '/;/admin',
        '/%2561dmin',
        '/\\admin',
      ],
      400,
    )
    await expectEach(ask, ['/health/live', '/Health/live/', '/Health//live', '/Health%2flive', '/HEALTH/live'], 400)
    await expectEach(ask, ['/admin/x', '/Health', '/health', '/health/', '/Health/live/x', '/x/admin'], 'forwarded')
  })

  test('a path with parameters', async (t) => {
    const ask = await start(t, {
      after: (app) => {
        app.all('/users/:id/secret', { onRequest: guard }, forward)
        app.all('/files/:name.key', { onRequest: guard }, forward)
        app.all('/years/:year(^\\d{4}$)', { onRequest: guard }, forward)
        app.all('/maybe/:x?', { onRequest: guard }, forward)
      },
    })
    await expectEach(ask, ['/users/1/secret;a=b%5cx', '/users/1/secret;\\x', '/maybe;%5cx'], 400)
    const own = ['/users/1/secret', '/users/a%20b/secret', '/files/a.key', '/years/2026', '/maybe', '/maybe/1']
    await expectEach(ask, own, 401)
    await expectEach(ask, own, 'forwarded', 'x-key: right')
    await expectEach(
      ask,
      [
        '/users/1/secret/',
        '/users/1/SECRET',
        '/Users/1/secret',
        '/users/1%2fsecret',
        '/users//1/secret',
        '//users/a%2fb/secret',
        '/users%2f1%2fsecret',
        '/users/1/secret;x',
        '/users/1;x%2fsecret',
        '/files//a.key',
        '/files/a.KEY',
        '/files/a.key%00.png',
        '/files/a.key;x.png',
        '/files/a%2ekey/',
        '/years/2026/',
        '/YEARS/2026',
        '/years/2026;x',
        '/maybe//1/',
        '/Maybe',
      ],
      400,
    )
    await expectEach(ask, ['/users/1%2fx/secret'], 400, 'x-key: right')
    await expectEach(
      ask,
      [
        '/users',
        '/users/1',
        '/Users/1',
        '/users/1/public',
        '/users/1%2fpublic',
        '/files/a.png',
        '/FILES/a.png',
        '/years/last',
        '/years/20260',
      ],
      'forwarded',
    )
  })

  test('a path with parameters, one of which is too long for the router but not for a backend', async (t) => {
    const ask = await start(t, {
      after: (app) => {
        app.all('/users/:id', { onRequest: guard }, forward)
        app.all('/users/:id/secret', { onRequest: guard }, forward)
        app.all('/files/:name.key', { onRequest: guard }, forward)
      },
    })
    const long = 'a'.repeat(120)
    await expectEach(ask, [`/users/${'€'.repeat(40)}`].map(encodeURI), 401)
    await expectEach(
      ask,
      [
        `/users/1;${long}`,
        `/users/1%3b${long}`,
        `/users/1%00${long}`,
        `/users/1%3f${long}`,
        `/users/1${'.'.repeat(120)}`,
        `/users/1${'%20'.repeat(120)}`,
        `/users/${'%2531'.repeat(40)}`,
        `/users/${encodeURI('€'.repeat(40))};${long}`,
        `/users/1;${long}/secret`,
        `/users/1;${long}%2fsecret`,
        `/users/${'%E9'.repeat(40)}`,
        `/files/${'b'.repeat(98)}.key;${long}.key`,
      ],
      400,
    )
    // Too long for a backend that reads it so as well.
    await expectEach(ask, [`/users/${long}`, `/users/${long};x`, `/users/${long}/secret`], 'forwarded')
  })

  for (const server of [{ maxParamLength: 10 }, { routerOptions: { maxParamLength: 10 } }])
    test(`the same with ${JSON.stringify(server)}`, async (t) => {
      const ask = await start(t, { server, after: (app) => app.all('/users/:id', { onRequest: guard }, forward) })
      await expectEach(ask, ['/users/1', '/users/1;a'], 401)
      await expectEach(ask, ['/users/1;aaaaaaaaa', '/users/1%00aaaaaaaaa'], 400)
      await expectEach(ask, ['/users/12345678901', '/users/%C3%A9123456789a', '/other/1;aaaaaaaaa'], 'forwarded')
    })

  test('hooks of a scope with a prefix', async (t) => {
    const ask = await start(t, {
      before: (app) => {
        app.register(
          async (scope) => {
            scope.addHook('onRequest', guard)
            scope.all('/', forward)
            scope.all('/*', forward)
          },
          { prefix: '/admin' },
        )
      },
    })
    const own = ['/admin', '/admin/', '/admin/x', '/admin/x/']
    await expectEach(ask, own, 401)
    await expectEach(ask, own, 'forwarded', 'x-key: right')
    await expectEach(ask, [...dots, ...spellings.filter((path) => !/^\/admin(\?|$)/.test(path))], 400)
    await expectEach(ask, harmless, 'forwarded')
  })

  test('several with the same guard: it does not matter which is meant', async (t) => {
    const ask = await start(t, {
      before: (app) => {
        app.all('/admin', { onRequest: guard }, (_request, reply) => reply.forward())
        app.all('/admin/*', { onRequest: guard }, (_request, reply) => reply.forward())
        app.all('/open', { onRequest: guard }, forward)
        app.all('/open/*', forward)
        app.all('/level', { onRequest: guard, config: { level: 2 } as object }, forward)
        app.all('/level/*', { onRequest: guard, config: { level: 1 } as object }, forward)
      },
    })
    await expectEach(ask, ['/admin', '/admin/', '/admin//', '/admin/x'], 401)
    await expectEach(ask, ['/admin', '/admin/', '/admin//', '/admin/x'], 'forwarded', 'x-key: right')
    await expectEach(ask, ['/open/', '/open//', '/open/;x'], 400)
    // The same guard may ask for more where the route says so.
    await expectEach(ask, ['/level', '/level/x'], 'forwarded', 'x-key: right')
    await expectEach(ask, ['/level/', '/level//'], 400, 'x-key: right')
    await expectEach(ask, ['/open/x', '/open/x/'], 'forwarded')
  })

  test('what is not found, forwarded', async (t) => {
    const ask = await start(t, {
      options: { route: false },
      after: (app) => {
        guarded(app)
        app.setNotFoundHandler(forward)
      },
    })
    await expectEach(ask, ['/admin/x'], 401)
    await expectEach(ask, [...dots.filter((path) => !path.includes('%2%')), ...spellings], 400)
    await expectEach(ask, harmless, 'forwarded')
  })

  test('a router that overlooks case and slashes', async (t) => {
    const server = { routerOptions: { caseSensitive: false, ignoreDuplicateSlashes: true, ignoreTrailingSlash: true } }
    const ask = await start(t, {
      server,
      before: guarded,
      after: (app) => app.all('/Exact', { onRequest: guard }, forward),
    })
    await expectEach(ask, ['/ADMIN/x', '//admin/x', '/admin//x/', '/exact/', '//EXACT'], 401)
    await expectEach(ask, ['/ADMIN/x', '//admin/x', '/admin//x/', '/exact/', '//EXACT'], 'forwarded', 'x-key: right')
    await expectEach(ask, ['/admin%2fx', '/admin;x/y', '/exact;x', '/exact%2f', '/admin%5cx'], 400)
    await expectEach(ask, harmless, 'forwarded')
  })

  test('a router that takes a semicolon for the beginning of a query', async (t) => {
    const ask = await start(t, { server: { useSemicolonDelimiter: true }, before: guarded })
    await expectEach(ask, ['/admin/x;y'], 401)
    await expectEach(ask, ['/;/../admin/x', '/x;/../admin/x', '/;a/admin/x', '/admin;/x', '/;/..'], 400)
    await expectEach(ask, ['/x;y', '/x;y/z'], 'forwarded')
    await expectEach(ask, ['/admin/x;y'], 'forwarded', 'x-key: right')
  })
})

describe('constraints', () => {
  test('a guard of another host is no matter of this one', async (t) => {
    const ask = await start(t, {
      before: (app) => {
        app.all('/admin', { constraints: { host: 'other.example' }, onRequest: guard }, forward)
        app.all('/admin/*', { constraints: { host: /^other\./ }, onRequest: guard }, forward)
        app.all('/here/*', { constraints: { host: 'a.example' }, onRequest: guard }, forward)
      },
    })
    await expectEach(ask, ['/admin', '/admin/', '/admin/x', '//admin/x', '/Admin/x'], 'forwarded')
    await expectEach(ask, ['/here/x'], 401)
    await expectEach(ask, ['//here/x', '/Here/x', '/here', '/here%2fx'], 400)
  })

  test('where it cannot be told, another spelling is refused', async (t) => {
    const ask = await start(t, {
      server: {
        routerOptions: {
          constraints: {
            secret: {
              name: 'secret',
              storage: () => {
                const handlers = new Map<string, never>()
                return {
                  get: (key: string) => handlers.get(key) ?? null,
                  set: (key: string, value: never) => void handlers.set(key, value),
                }
              },
              validate: () => true,
              deriveConstraint: ({ headers }: { headers: Record<string, string> }) => headers['x-secret'],
            },
          },
        },
      } as unknown as FastifyServerOptions,
      after: (app) => app.all('/admin/*', { constraints: { secret: 'yes' }, onRequest: guard }, forward),
    })
    await expectEach(ask, ['/admin/x'], 401, 'x-secret: yes')
    await expectEach(ask, ['/admin/x'], 'forwarded')
    await expectEach(ask, ['//admin/x', '/admin%2fx'], 400)
  })
})

test('several balancers: none is reached by a path that is of another', async (t) => {
  const [one, two] = [await startWireBackend(t), await startWireBackend(t)]
  const app = Fastify()
  await app.register(balancer, { name: 'one', backends: [one.url] })
  await app.register(balancer, { name: 'two', prefix: '/api', backends: [two.url] })
  const { port } = await listenApp(t, app)
  for (const path of ['/api', '/api/', '/api/x', '/api//x', '/api/x%2fy', '/api/X/'])
    assert.equal((await exchange(t, port, get(path))).status, 200, path)
  assert.deepEqual([one.requests.length, two.requests.length], [0, 6])
  for (const path of ['//api/x', '/api%2fx', '/API/x', '/api;x/y', '/api;', '/x/../api', '/api\\x', '/%2561pi/x'])
    assert.equal((await exchange(t, port, get(path))).status, 400, path)
  assert.equal((await exchange(t, port, get('//apis/x'))).status, 200)
  assert.deepEqual([one.requests.length, two.requests.length], [1, 6])
})

describe('what a route of the app forwards', () => {
  test('means to backends what came by that route', async (t) => {
    const ask = await start(t, {
      options: { route: false },
      after: (app) => {
        app.all('/public/*', forward)
        app.all('/users/:id/avatar', forward)
      },
    })
    await expectEach(
      ask,
      ['/public/', '/public/x', '/public/x%2fy', '/public//x', '/public/a;b', '/users/1/avatar'],
      'forwarded',
    )
    await expectEach(
      ask,
      [
        '/public/../admin/x',
        '/public/..%2fadmin/x',
        '/public/%2e%2e/admin/x',
        '/public/..\\admin\\x',
        '/public/..;/admin/x',
        '/public/%252e%252e/admin/x',
        '/public/./x',
        '/public/.%00/x',
        // No route of the app has these.
        '/users/1%2fdelete/avatar',
        '/users/1%5cdelete/avatar',
        '/users/1%252fdelete/avatar',
        '/users/1%00/avatar',
        '/users/1%3f/avatar',
      ],
      400,
    )
  })

  test('may use what parameters hold, where the app has a route for whatever that means', async (t) => {
    const ask = await start(t, { options: { route: false }, after: (app) => app.all('/projects/*', forward) })
    await expectEach(ask, ['/projects/group%2Fproject/issues', '/projects/group%252Fproject'], 'forwarded')
  })
})

test('a path that rewrite.request makes must not be ambiguous either', async (t) => {
  const made = new Map([
    ['/fine', '/other/x?y=../z'],
    ['/slashes', '/a//b%2fc'],
    ['/guarded', '/admin/x'],
    ['/dots', '/x/../admin/x'],
    ['/encoded', '/x/%2e%2e/admin/x'],
    ['/spelling', '//admin/x'],
    ['/encoded-slash', '/admin%2fx'],
    ['/case', '/ADMIN/x'],
    ['/end', '/admin'],
    ['/long', `/users/1;${'a'.repeat(120)}`],
  ])
  const backend = await startWireBackend(t)
  const app = Fastify()
  await app.register(balancer, {
    backends: [backend.url],
    rewrite: { request: ({ out }) => void (out.path = made.get(out.path)!) },
  })
  guarded(app)
  app.all('/users/:id', { onRequest: guard }, forward)
  const { port } = await listenApp(t, app)
  const statuses: number[] = []
  for (const path of made.keys()) statuses.push((await exchange(t, port, get(path))).status)
  assert.deepEqual(statuses, [200, 200, 200, 500, 500, 500, 500, 500, 500, 500])
  assert.deepEqual(
    backend.requests.map((request) => request.start.split(' ')[1]),
    ['/other/x?y=../z', '/a//b%2fc', '/admin/x'],
  )
})

const unescape = (path: string) =>
  path.replaceAll(/%([\da-f]{2})/gi, (_escape, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))

function resolve(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '.' && segment !== '') segments.push(segment)
  }
  return `/${segments.join('/')}`
}

/** How servers read a path. */
const readers: Record<string, (path: string) => string> = {
  nginx: (path) => resolve(unescape(path)),
  tomcat: (path) => resolve(unescape(path.replaceAll(/;[^/]*/g, '')).replaceAll('\\', '/')),
  windows: (path) =>
    resolve(
      unescape(unescape(path))
        .replaceAll('\\', '/')
        .replaceAll(/(?<=[^/. ])[. ]+(?=\/|$)/g, ''),
    ).toLowerCase(),
  c: (path) => resolve(unescape(path).replace(/\0.*$/s, '')),
  envoy: (path) => resolve(path.replaceAll(/%(?!2f|5c)[\da-f]{2}/gi, unescape)),
  express: (path) => path.toLowerCase().replace(/\/$/, ''),
}

test('no random spelling reaches what is guarded, however its server reads paths', async (t) => {
  const ask = await start(t, {
    before: (app) => {
      app.all('/admin/*', { onRequest: guard }, forward)
      app.all('/users/:id/secret', { onRequest: guard }, forward)
    },
    after: (app) => {
      app.all('/exact', { onRequest: guard }, forward)
      app.all('/public/*', forward)
    },
  })
  const isGuarded = (path: string) => /^\/(?:admin(?:\/.*)?|users\/[^/]+\/secret|exact)$/.test(path)
  const part = fc.constantFrom(
    ...['admin', 'ADMIN', '%61dmin', '%2561dmin', 'users', 'Users', 'secret', 'exact', 'public', 'x', '1'],
    ...['.', '..', '%2e', '%2E%2e', '.%2e', '%252e', '..;', ';a=b', ';', '%3b', '%00', '%3f', '%23', '%20', '@'],
    ...['/', '/', '/', '/', '//', '\\', '%2f', '%2F', '%5c', '%252f', '%255C'],
  )
  let forwarded = 0
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 8 }), async (parts) => {
      const path = `/${parts.join('')}`
      if ((await ask(path)) !== 'forwarded') return
      forwarded++
      for (const [name, read] of Object.entries(readers)) assert.ok(!isGuarded(read(path)), `${name}: ${read(path)}`)
    }),
    { numRuns: 600 },
  )
  assert.ok(forwarded > 30, `only ${forwarded} were forwarded at all`)
})

test('random paths that are of no other route cross byte for byte', async (t) => {
  const ask = await start(t, {
    before: guarded,
    after: (app) => app.all('/users/:id/secret', { onRequest: guard }, forward),
  })
  const text = fc.stringMatching(/^(?:[a-zA-Z0-9._~!$&'()*+,;=:@-]|%2[0-9A-Fa-f]|%[46][1-9A-Fa-f]|%C3%A9){1,9}$/)
  const segment = text.filter((one) => !/(?:^|[/\\])(?:[.;]|%2e)|admin|users/i.test(unescape(one)))
  const slash = fc.constantFrom('/', '/', '/', '//', '%2f', '%5C', '\\')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(slash, segment), { minLength: 1, maxLength: 5 }),
      fc.string(),
      async (parts, query) => {
        const path = `/${parts.flat().join('')}`
        assert.equal(await ask(`${path}?${encodeURIComponent(query)}`), 'forwarded', path)
      },
    ),
    { numRuns: 200 },
  )
})
