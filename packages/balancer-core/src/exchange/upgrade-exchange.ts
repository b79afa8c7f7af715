import type { FastifyReply, FastifyRequest } from 'fastify'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Attempt } from '../attempt/attempt.ts'
import { channels } from '../channels.ts'
import type { FailureReason } from '../failure.ts'
import type { IncomingFields } from '../headers/fields.ts'
import { toFields, toFlat } from '../headers/fields.ts'
import { shownUrl } from '../log.ts'
import type { Outgoing } from '../request/outgoing-request.ts'
import { hasBody, RequestFault } from '../request/request-body.ts'
import { protocolsIn, upgradeOf, type UpgradeRequest } from '../request/upgrade-request.ts'
import { responseHeaders } from '../response/response-headers.ts'
import { rewriteResponse } from '../response/response-rewrite.ts'
import type { Lane } from '../response/response-lane.ts'
import { EarlyBytes } from '../tunnel/early-bytes.ts'
import { switchingHead } from '../tunnel/switching-response.ts'
import { Tunnel } from '../tunnel/tunnel.ts'
import { acceptOf } from '../tunnel/websocket-key.ts'
import { Exchange } from './exchange.ts'
import type { Forwarding } from './forwarding.ts'

/** How often TCP asks whether the client is still there, without traffic (ms): as undici does for backends. */
const keepAlive = 60_000

/**
 * An exchange that asks for another protocol. Until a backend switches it is like any other, and a refusal is a response
 * like any other; after that it lives as long as its tunnel.
 */
export class UpgradeExchange extends Exchange {
  readonly #protocols: readonly string[]
  readonly #asked: UpgradeRequest
  readonly #early: EarlyBytes
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
    return this.tunnel === undefined ? super.status : 101
  }

  protected override prepare(out: Outgoing): void {
    const { raw } = this.request
    if (this.options.upgrade.protocols.length === 0)
      throw new RequestFault('the option upgrade is off', 'upgrade-required')
    if (hasBody(raw)) throw new RequestFault('a request to switch protocols has a body', 'upgrade-with-body')
    out.upgrade = this.upgrade.join(', ')
    out.headers.push('connection', 'Upgrade', 'upgrade', out.upgrade)
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
    const key = this.request.raw.headers['sec-websocket-key']
    const isKept = protocol!.toLowerCase() !== 'websocket' || key === undefined || accept === acceptOf(key)
    return isKept ? undefined : 'upgrade-key-mismatch'
  }

  override onUpgrade(attempt: Attempt, backend: Duplex, head: Buffer): void {
    const { stream: client } = this.#asked
    const protocol = String(attempt.headers.upgrade).toLowerCase()
    const text = this.#head(attempt, protocol)
    if (this.outcome !== undefined || client.destroyed || text === undefined) {
      backend.destroy()
      return this.#giveUp(attempt)
    }
    this.stopWaiting()
    this.outcome = 'ok'
    this.reply.hijack()
    const { raw } = this.reply
    if (client instanceof Socket) {
      raw.detachSocket(client)
      client.setTimeout(0)
      client.setNoDelay(true)
      client.setKeepAlive(true, keepAlive)
    }
    client.write(Buffer.from(text, 'latin1'))
    this.#open(attempt, protocol, { client, backend, fromClient: this.#early.take(), fromBackend: [head] })
  }

  /** The head of the response; undefined if there can be none, and the exchange has failed. */
  #head(attempt: Attempt, protocol: string): string | undefined {
    const { request, reply, forwarding } = this
    const { via, rewrite } = forwarding.response
    const rules = { status: 101, bodyless: true, chunks: false, via, own: reply.getHeaders() }
    try {
      let fields = responseHeaders(attempt.headers, rules)
      if (rewrite !== undefined) {
        const message = { status: 101, headers: toFields(fields), body: undefined }
        const rewritten = {
          request,
          backend: attempt.backend,
          empty: true,
          rules: { rewrite },
          fail: this.fail.bind(this),
        }
        if (!rewriteResponse(rewritten, message)) return undefined
        fields = toFlat(message.headers)
      }
      return switchingHead(protocol, fields)
    } catch (error) {
      this.fail('bad-response', error)
      return undefined
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
      path: shownUrl(this.url, false),
      onEnd: () => {
        balancer.tunnels.remove(tunnel, weight)
        this.onClose()
      },
    }
    const tunnel = new Tunnel(purpose, ends, options.upgrade, clock)
    this.#tunnel = tunnel
    balancer.tunnels.add(tunnel, weight)
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
