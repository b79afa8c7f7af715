import core, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { listenApp } from '../../../../test/support/app.ts'
import { startBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import { LogLines, type LogLine } from '../../../../test/support/log-lines.ts'
import { until } from '../../../../test/support/until.ts'

interface Front {
  /** Asks for a path, and answers the lines about it once the last of them has been written. */
  linesOf(path: string, count?: number): Promise<LogLine[]>
}

interface FrontOptions {
  readonly balancer?: BalancerOptions
  readonly logController?: LogController
  readonly before?: (app: FastifyInstance) => unknown
}

async function startFront(t: TestContext, { balancer, logController, before }: FrontOptions = {}): Promise<Front> {
  const log = new LogLines()
  const backend = await startBackend(t)
  const app = Fastify({
    logger: log,
    genReqId: ({ url }) => url!,
    ...(logController !== undefined && { logController }),
  })
  before?.(app)
  await app.register(core, { backends: [backend.url], ...balancer })
  const { url } = await listenApp(t, app)
  return {
    async linesOf(path, count = 1) {
      const about = (target: string) => log.all.filter(({ reqId }) => reqId === target)
      await ask(url + path).catch(() => undefined)
      // Fastify and the balancer write when the response is flushed; another request's line is behind all of them.
      await until('all is logged', () => about(path).length >= count)
      await ask(`${url}/behind`).catch(() => undefined)
      await until('what follows is logged', () => about('/behind').length > 0)
      return about(path)
    },
  }
}

const messages = (lines: readonly LogLine[]) => lines.map(({ msg }) => msg)

for (const lane of ['raw', 'full'] as const)
  describe(`with Fastify's logger on, one line for each request, ${lane} lane`, () => {
    test('that is forwarded', async (t) => {
      const { linesOf } = await startFront(t, { balancer: { lane } })
      const lines = await linesOf('/thing?token=secret')
      assert.deepEqual(messages(lines), ['forwarded'])
      assert.equal(lines[0]!.level, 30)
    })

    test('that finds its backend down: a warning without a stack', async (t) => {
      const { linesOf } = await startFront(t, { balancer: { lane, backends: [await unusedOrigin()] } })
      const [line, ...more] = await linesOf('/thing')
      assert.deepEqual(more, [])
      assert.match(String(line!.msg), /^failed: connect-refused after \d+ ms, backend http:\/\/127\.0\.0\.1:\d+$/)
      assert.equal(line!.level, 40)
      assert.doesNotMatch(JSON.stringify(line), /\bat \w+.*\.[jt]s|stack/)
    })

    test('that finds no backend', async (t) => {
      const { linesOf } = await startFront(t, { balancer: { lane, backends: [] } })
      const lines = await linesOf('/thing')
      assert.deepEqual(messages(lines), ['not forwarded: no-backend'])
      assert.equal(lines[0]!.level, 40)
    })

    test('that a hook of the app answers: Fastify’s line, which says what was asked', async (t) => {
      const { linesOf } = await startFront(t, {
        balancer: { lane },
        before: (app) =>
          app.addHook('onRequest', (request, reply, done) => {
            if (request.url.startsWith('/private')) reply.code(401).send('no')
            else done()
          }),
      })
      const lines = await linesOf('/private?token=secret')
      assert.deepEqual(messages(lines), ['request completed'])
      const { req, res, responseTime } = lines[0] as unknown as {
        req: { url: string; method: string }
        res: { statusCode: number }
        responseTime: number
      }
      assert.deepEqual([req.method, req.url, res.statusCode], ['GET', '/private', 401])
      assert.equal(typeof responseTime, 'number')
    })

    test('that fails in code of the app: an error, with the stack that tells where', async (t) => {
      function brokenRewrite() {
        throw new TypeError('a mistake')
      }
      const { linesOf } = await startFront(t, { balancer: { lane, rewrite: { request: brokenRewrite } } })
      const lines = await linesOf('/thing')
      assert.deepEqual(messages(lines), ['not forwarded: rewrite-failed (a mistake)'])
      assert.equal(lines[0]!.level, 50)
      assert.match((lines[0]!.err as { stack: string }).stack, /TypeError: a mistake\n +at .*brokenRewrite/)
    })
  })

describe('what stays as the app has it', () => {
  test('other routes, and what hooks log of a forwarded request', async (t) => {
    const { linesOf } = await startFront(t, {
      before(app) {
        app.get('/own', (_request, reply) => void reply.send('own'))
        app.addHook('onRequest', async (request) => request.log.info({ req: request }, 'incoming request'))
        app.addHook('onResponse', async (request) => request.log.info('request completed'))
      },
    })
    const own = ['incoming request', 'incoming request', 'request completed', 'request completed']
    assert.deepEqual(messages(await linesOf('/own', 4)), own)
    const lines = messages(await linesOf('/thing', 3))
    assert.deepEqual(lines.map(String).sort(), ['forwarded', 'incoming request', 'request completed'])
  })

  test('errors that hooks throw', async (t) => {
    const { linesOf } = await startFront(t, {
      before: (app) =>
        app.addHook('onRequest', async ({ url }) => {
          if (url === '/broken') throw new Error('a hook broke')
        }),
    })
    const lines = await linesOf('/broken', 2)
    assert.deepEqual(messages(lines), ['a hook broke', 'request completed'])
    assert.match((lines[0]!.err as { stack: string }).stack, /\n +at /)
  })

  test('an error of an onSend hook, after the backend has answered', async (t) => {
    const { linesOf } = await startFront(t, {
      before: (app) =>
        app.addHook('onSend', async ({ url }) => {
          if (url === '/broken') throw new Error('a hook broke')
        }),
    })
    assert.ok(messages(await linesOf('/broken', 2)).includes('a hook broke'))
  })

  test('a log controller of its own', async (t) => {
    class Own extends LogController {
      override incomingRequest(request: FastifyRequest): void {
        request.log.info('seen')
      }
      override requestCompleted(_error: unknown, _request: FastifyRequest, reply: FastifyReply): void {
        reply.log.info('done')
      }
    }
    const { linesOf } = await startFront(t, { logController: new Own() })
    assert.deepEqual(
      messages(await linesOf('/thing', 3))
        .map(String)
        .sort(),
      ['done', 'forwarded', 'seen'],
    )
  })

  test('that Fastify logs no requests', async (t) => {
    const { linesOf } = await startFront(t, {
      logController: new LogController({ disableRequestLogging: ({ url }: FastifyRequest) => url === '/quiet' }),
      before: (app) =>
        app.addHook('onRequest', (request, reply, done) => {
          if (request.url === '/quiet') reply.code(401).send('no')
          else done()
        }),
    })
    assert.deepEqual(messages(await linesOf('/quiet', 0)), [])
  })
})

test('a route of the app that calls `reply.forward()` has one line if the app says so', async (t) => {
  const { linesOf } = await startFront(t, {
    logController: new LogController({
      disableRequestLogging: ({ routeOptions }: FastifyRequest) =>
        (routeOptions.config as { forwards?: true }).forwards === true,
    }),
    before(app) {
      const config = { forwards: true } as object
      app.get('/own', { config }, (_request, reply) => reply.forward())
      app.get('/other', (_request, reply) => void reply.send('own'))
    },
  })
  assert.deepEqual(messages(await linesOf('/own')), ['forwarded'])
  assert.deepEqual(messages(await linesOf('/other', 2)), ['incoming request', 'request completed'])
})
