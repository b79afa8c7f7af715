import balancer, { type BalancerOptions, type PolicyOption } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { RequestListener } from 'node:http'
import type { TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask, type Answer, type Question } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import policiesPlugin, { type StickySettings } from '../../src/index.ts'

export const secret = 'the secret of these tests'
export const older = 'an older secret of them'

/** The option `policy`. */
export function stickyPolicy(settings: Partial<StickySettings> = {}): PolicyOption {
  return { name: 'sticky', secret: [secret], ...settings }
}

/** What a stage is built with. */
interface Staging {
  readonly settings?: Partial<StickySettings>
  readonly options?: BalancerOptions
  readonly server?: FastifyServerOptions
  /** What each backend answers; without one, its name. */
  readonly listener?: (name: string) => RequestListener
  readonly names?: readonly string[]
  /** Called before the balancer is registered. */
  readonly before?: (app: FastifyInstance) => unknown
}

/** Backends `a`, `b` and `c` behind a sticky balancer. */
export async function startStage(
  t: TestContext,
  { settings, options, server = {}, listener, names = ['a', 'b', 'c'], before }: Staging = {},
) {
  const backends = await Promise.all(names.map((name) => startBackend(t, listener?.(name), name)))
  const app = Fastify(server)
  await app.register(policiesPlugin)
  await before?.(app)
  const list = backends.map(({ url }, index) => ({ url, id: names[index]! }))
  await app.register(balancer, { backends: list, policy: stickyPolicy(settings), ...options })
  return { ...(await listenApp(t, app)), backends, list, balancer: app.balancer }
}

/** The values of `set-cookie`. */
export function cookiesOf({ headers }: Answer): readonly string[] {
  return [headers['set-cookie'] ?? []].flat()
}

/** A client that keeps its cookies as a browser does, and sends them. */
export class Client {
  readonly #url: string
  readonly cookies = new Map<string, string>()

  constructor(url: string) {
    this.#url = url
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async ask(path = '/', question: Question = {}): Promise<Answer> {
    const { cookie } = this
    const headers = { ...(question.headers as object), ...(cookie !== '' && { cookie }) }
    const answer = await ask(this.#url + path, { ...question, headers })
    for (const one of cookiesOf(answer)) {
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(one) ?? []
      this.cookies.set(name, value)
    }
    return answer
  }

  /** The name of the backend that answers. */
  async backend(path?: string): Promise<string> {
    return (await this.ask(path)).body
  }
}
