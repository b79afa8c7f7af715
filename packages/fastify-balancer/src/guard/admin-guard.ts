// Room `guard`: who may use the admin API, the page and the metrics of a process.
import basicAuth from '@fastify/basic-auth'
import bearerAuth from '@fastify/bearer-auth'
import { createError } from '@fastify/error'
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import { createHash, timingSafeEqual } from 'node:crypto'
import { onlyLocal } from './only-local.ts'
import type { Passwords } from './passwords.ts'

const WrongCredentialsError = createError(
  'FST_BALANCER_WRONG_CREDENTIALS',
  'Wrong token, or wrong name or password',
  401,
)

/** Who may. With neither, only clients on this machine. */
export interface Access {
  /** As a bearer token; in a browser, as the password of any name. */
  readonly token?: string | undefined
  readonly passwords?: Passwords | undefined
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Asks who it is, in front of everything that is not for everybody. */
export class AdminGuard {
  /** May be replaced at any time: by the next request it is in force. */
  access: Access
  /** False where everything is open to everyone (`insecure`), so that the hook is not there to ask. */
  isAsked = true
  readonly #isPrivate: boolean
  readonly #names = new WeakMap<FastifyRequest, string>()

  /** `isPrivate`: all requests come by a Unix socket of the admin API's own, so the rights of its file say who may. */
  constructor(access: Access, isPrivate = false) {
    this.access = access
    this.#isPrivate = isPrivate
  }

  /** The option `user` of the admin routes: the name that the client signed in with. */
  readonly user = (request: FastifyRequest) => this.#names.get(request)

  /** The hook for `onRequest`. */
  async hook(app: FastifyInstance): Promise<onRequestHookHandler> {
    await app.register(bearerAuth, {
      keys: [],
      auth: (token) => this.#isToken(token),
      addHook: false,
      specCompliance: 'rfc6749',
      verifyErrorLogLevel: 'debug',
    })
    await app.register(basicAuth, {
      authenticate: { realm: 'fastify-balancer' },
      validate: (name, password, request) => this.#signIn(name, password, request),
    })
    const bearer = app.verifyBearerAuth!
    const basic = app.basicAuth as onRequestHookHandler
    const access = () => this.access
    const isPrivate = this.#isPrivate
    return function guard(request, reply, done) {
      const { token, passwords } = access()
      if (token === undefined && passwords === undefined) {
        if (isPrivate) done()
        else onlyLocal(request).then(() => done(), done)
        return
      }
      // Without any credentials, the answer asks for a name and a password: a browser can give no token.
      if (!/^bearer /i.test(request.raw.headers.authorization ?? '')) basic.call(this, request, reply, done)
      else
        bearer(request, reply, (error) => {
          if (error !== undefined) void reply.header('www-authenticate', 'Bearer realm="fastify-balancer"')
          done(error)
        })
    }
  }

  #isToken(text: string): boolean {
    const { token } = this.access
    return token !== undefined && timingSafeEqual(digest(text), digest(token))
  }

  async #signIn(name: string, password: string, request: FastifyRequest): Promise<void> {
    if (this.#isToken(password)) return
    if ((await this.access.passwords?.check(name, password)) !== true) throw new WrongCredentialsError()
    this.#names.set(request, name)
  }
}
