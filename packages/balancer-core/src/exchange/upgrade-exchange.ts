import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Attempt } from '../attempt/attempt.ts'
import { withHeader } from '../attempt/attempt-headers.ts'
import { channels } from '../channels.ts'
import type { FailureReason } from '../failure.ts'
import type { IncomingFields } from '../headers/fields.ts'
import { toFields, toFlat } from '../headers/fields.ts'
import { acceptOf, newKey } from '../headers/websocket-key.ts'
import type { Outgoing } from '../request/outgoing-request.ts'
import { hasBody, RequestFault } from '../request/request-body.ts'
import { protocolsIn, upgradeOf, type UpgradeRequest } from '../request/upgrade-request.ts'
import { breakOff } from '../response/break-off.ts'
import { responseHeaders } from '../response/response-headers.ts'
import { rewriteResponse } from '../rewriting/response-rewrite.ts'
import type { Lane } from '../response/response-lane.ts'
import { EarlyBytes } from '../tunnel/early-bytes.ts'
import { cut } from '../tunnel/stream-cut.ts'
import { Tunnel } from '../tunnel/tunnel.ts'
import { Exchange } from './exchange.ts'
import type { Forwarding } from './forwarding.ts'

/**
 * An exchange that asks for another protocol. Until a backend switches it is like any other, and a refusal is a response
 * like any other; after that it lives as long as its tunnel.
 */
export class UpgradeExchange extends Exchange {
  readonly #protocols: readonly string[]
  readonly #asked: UpgradeRequest
  readonly #early: EarlyBytes
  /** Of the handshake: the client's, or over HTTP/2 one of our own for each attempt. */
  #key: string | undefined
  #tunnel: Tunnel | undefined

  constructor(
    request: FastifyRequest,
    reply: FastifyReply,
    forwarding: Forwarding,
    lane: Lane,
    protocols: readonly string[],
  ) {
    super(request, reply, forwarding, lane)
    this.#protocols = protocols
    this.#asked = upgradeOf(request.raw)!
    this.#early = new EarlyBytes(this.#asked.stream, this.#asked.head)
  }

  override get upgrade(): readonly string[] {
    return this.#protocols
  }

  override get tunnel(): Tunnel | undefined {
    return this.#tunnel
  }

  override get status(): number {
    return this.tunnel === undefined ? super.status : this.#success
  }

  /** The status that says that it was switched. */
  get #success(): 101 | 200 {
    return this.#asked.isConnect ? 200 : 101
  }

  protected override prepare(out: Outgoing): void {
    const { raw } = this.request
    if (this.options.upgrade.protocols.length === 0)
      throw new RequestFault('the option upgrade is off', 'upgrade-required')
    if (hasBody(raw)) throw new RequestFault('a request to switch protocols has a body', 'upgrade-with-body')
    // Node looks for it only where nothing is to be switched (RFC 9112 §3.2).
    if (raw.httpVersion === '1.1' && raw.headers.host === undefined) throw new RequestFault('it has no Host header')
    this.#key = raw.headers['sec-websocket-key']
    // A backend of HTTP/2 is asked for a WebSocket only: nobody else sees that it was no handshake (RFC 6455 §4.2.1).
    const isHandshake = this.#asked.isConnect || (out.method === 'GET' && this.#key !== undefined)
    if (this.#isWebSocket && !isHandshake && this.balancer.set.all.some(({ protocol }) => protocol !== 'http1'))
      throw new RequestFault('a WebSocket handshake without a key, or not with GET')
    out.upgrade = this.upgrade.join(', ')
    out.headers.push('connection', 'Upgrade', 'upgrade', out.upgrade)
  }

  override attempt(attempt: Attempt): void {
    // There is no key over HTTP/2, whatever the client sends (RFC 8441 §5); backends that speak HTTP/1.1 need one.
    if (this.#asked.isConnect) {
      this.#key = newKey()
      this.outgoing!.headers = withHeader(this.outgoing!.headers, 'sec-websocket-key', this.#key)
    }
    super.attempt(attempt)
  }

  override onResponse(attempt: Attempt, controller: Dispatcher.DispatchController, headers: IncomingFields): void {
    // The backend has answered an ordinary GET, as it may. To the client, a success would say that the WebSocket is open.
    const isMistakable = this.#asked.isConnect && attempt.status < 300
    if (isMistakable && attempt === this.attempts.at(-1)) this.fail('upgrade-ignored', undefined)
    else super.onResponse(attempt, controller, headers)
  }

  get #isWebSocket(): boolean {
    return this.upgrade.some((one) => one.toLowerCase() === 'websocket')
  }

  protected override get noBackend(): FailureReason {
    const { set, tunnels } = this.balancer
    const isFull = set.available.some((backend) => tunnels.isFullAt(backend, this.options.upgrade))
    return isFull ? 'tunnels-full' : 'no-backend'
  }

  override upgradeFault({ upgrade, 'sec-websocket-accept': accept }: IncomingFields): FailureReason | undefined {
    const [protocol, ...others] = protocolsIn(upgrade === undefined ? undefined : String(upgrade))
    const asked = this.upgrade.some((one) => one.toLowerCase() === protocol?.toLowerCase())
    if (!asked || others.length > 0) return 'upgrade-mismatch'
    const key = this.#key
    const isKept = protocol!.toLowerCase() !== 'websocket' || key === undefined || accept === acceptOf(key)
    return isKept ? undefined : 'upgrade-key-mismatch'
  }

  override onUpgrade(attempt: Attempt, backend: Duplex, head: Buffer): void {
    const { stream: client } = this.#asked
    const protocol = String(attempt.headers.upgrade).toLowerCase()
    if (!this.#switchClient(attempt, protocol)) {
      cut(backend)
      return this.#giveUp(attempt)
    }
    this.stopWaiting()
    this.outcome = 'ok'
    this.reply.hijack()
    this.#open(attempt, protocol, { client, backend, fromClient: this.#early.take(), fromBackend: [head] })
  }

  /** Tells the client; false if it has gone, or the exchange has failed. */
  #switchClient(attempt: Attempt, protocol: string): boolean {
    if (this.outcome !== undefined || this.#asked.stream.destroyed) return false
    const { request, reply, forwarding } = this
    // Other code has begun a response of its own, and what follows would be taken for the rest of it.
    if (reply.raw.headersSent) {
      breakOff(reply.raw, new Error('a response had begun before the backend switched protocols'))
      return false
    }
    if (!this.passes(attempt)) return false
    const { via, rewrite } = forwarding.response
    const status = this.#success
    const rules = { status, bodyless: true, chunks: false, via, own: reply.getHeaders() }
    try {
      let fields = responseHeaders(attempt.headers, rules)
      if (rewrite !== undefined) {
        const message = { status, headers: toFields(fields), body: undefined }
        const rewritten = {
          request,
          backend: attempt.backend,
          empty: true,
          rules: { rewrite },
          fail: this.fail.bind(this),
        }
        if (!rewriteResponse(rewritten, message)) return false
        fields = toFlat(message.headers)
      }
      this.#asked.switchTo(reply.raw, protocol, fields)
      return true
    } catch (error) {
      this.fail('bad-response', error)
      return false
    }
  }

  #open(attempt: Attempt, protocol: string, ends: ConstructorParameters<typeof Tunnel>[1]): void {
    const { balancer, request, options, clock } = this
    const { weight } = options.upgrade
    const purpose = {
      id: balancer.tunnels.nextId(),
      backend: attempt.backend,
      protocol,
      address: request.ip,
      path: this.path,
      onEnd: () => {
        balancer.tunnels.remove(tunnel, weight)
        this.onClose()
      },
    }
    const tunnel = new Tunnel(purpose, ends, options.upgrade, clock)
    this.#tunnel = tunnel
    balancer.tunnels.add(tunnel, weight)
    balancer.totals.add(this)
    if (channels.tunnelStart.hasSubscribers) channels.tunnelStart.publish({ exchange: this })
    tunnel.start(ends)
  }

  /** The backend has switched, but there will be no tunnel. */
  #giveUp({ backend }: Attempt): void {
    backend.tunnelPlaces--
    backend.tellIfIdle()
  }

  override onClose(): void {
    // While its tunnel is open, the exchange has not ended.
    if (this.tunnel === undefined || this.tunnel.closedAt > 0) super.onClose()
  }
}
