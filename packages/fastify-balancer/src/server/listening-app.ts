import { proxyProtocol } from '@fastify-balancer/proxy-protocol'
import Fastify, { LogController, type FastifyInstance } from 'fastify'
import type { Server } from 'node:http'
import type { Server as TlsServer } from 'node:tls'
import { listenerDefaults } from '../index.ts'
import type { Listener } from '../configuration/configuration.ts'
import { hostConstraint } from './host-constraint.ts'
import { readCertificate, type Certificate } from './certificate.ts'
import type { Logger } from './log.ts'
import { listenError } from './listen-error.ts'

/** One way in: a listener with the Fastify app behind it. */
export class ListeningApp {
  readonly listener: Listener
  readonly app: FastifyInstance
  #address: string | undefined
  #certificate: Certificate | undefined
  #ticketKey: Buffer | undefined

  /**
   * It listens once `listen` is called.
   * @throws CommandError when the certificate cannot be used
   */
  constructor(listener: Listener, logger: Logger, genReqId: () => string) {
    this.listener = listener
    const { tls, http2 = false, trustProxy = false, proxyProtocol: fromProxies } = listener
    const certificate = tls === undefined ? undefined : readCertificate(tls)
    this.#certificate = certificate
    const options = {
      logger,
      genReqId,
      routerOptions: { constraints: { host: hostConstraint } },
      // Fastify's type wants a list that can be written to.
      trustProxy: trustProxy as boolean | string | string[],
      // The balancer's own line says more than Fastify's two.
      logController: new LogController({ disableRequestLogging: true }),
      // By then all is drained; a connection on which nobody has asked anything would hold Node 22 and 24 for ever.
      forceCloseConnections: true,
      // Draining counts as a plugin's work to Fastify, which would crash after 10 s of it.
      pluginTimeout: 0,
      ...(fromProxies !== undefined && { serverFactory: proxyProtocol(fromProxies) }),
      ...(certificate === undefined
        ? listenerDefaults()
        : listenerDefaults({ https: { cert: certificate.cert, key: certificate.key } })),
    }
    // Fastify has a type for each protocol; the balancer takes all of them.
    this.app = (http2 ? Fastify({ ...options, http2: true } as never) : Fastify(options)) as unknown as FastifyInstance
    if (certificate?.warning !== undefined) this.app.log.warn(certificate.warning)
  }

  /** Every server of this listener: `localhost` has one for each of its addresses. */
  get servers(): readonly Server[] {
    const { app } = this
    // oxlint-disable-next-line typescript/unbound-method -- it is not called: Fastify gives it to each of its servers
    const { routing } = app
    return [...app.balancerServers].filter((one) => one === app.server || one.listeners('request').includes(routing))
  }

  /** Where it listens, as a URL or a path; undefined before. */
  get address(): string | undefined {
    return this.#address
  }

  /** Begins to listen, with a line in the log; `makeWay` removes what is left of a Unix socket there. @throws CommandError */
  async listen(line: (address: string) => string, makeWay: (path: string) => Promise<void>): Promise<void> {
    const { port = 8080, host = '127.0.0.1', path } = this.listener
    try {
      if (path !== undefined) await makeWay(path)
      const place = path === undefined ? { port, host } : { path }
      this.#address = await this.app.listen({ ...place, listenTextResolver: line })
      // Under `node:cluster`, Node has put a key of its own in its place.
      if (this.#ticketKey !== undefined) this.useTicketKey(this.#ticketKey)
    } catch (error) {
      throw listenError(error, { port, host, ...(path !== undefined && { path }) })
    }
  }

  /** TLS sessions that begin from now on can be resumed by every server that has this key (48 bytes); those of another key cannot. */
  useTicketKey(key: Buffer): void {
    this.#ticketKey = key
    for (const server of this.servers)
      if ('setTicketKeys' in server) (server as unknown as TlsServer).setTicketKeys(key)
  }

  /** The one that connections get which begin now. */
  get certificate(): Certificate | undefined {
    return this.#certificate
  }

  /**
   * Reads the files of the certificate again, and uses it.
   * @throws CommandError when it cannot be used: the one before stays
   */
  renewCertificate(tls = this.listener.tls): void {
    if (tls !== undefined) this.useCertificate(readCertificate(tls))
  }

  /** Connections that begin from now on get this one. */
  useCertificate(certificate: Certificate): void {
    const { cert, key, warning } = certificate
    this.#certificate = certificate
    for (const server of this.servers)
      // Behind the PROXY protocol, HTTP/2 has a server of its own, which gets what is decrypted already.
      if ('setSecureContext' in server) (server as unknown as TlsServer).setSecureContext({ cert, key })
    if (warning !== undefined) this.app.log.warn(warning)
  }
}
