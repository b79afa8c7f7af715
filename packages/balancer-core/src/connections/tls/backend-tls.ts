import { X509Certificate } from 'node:crypto'
import type { LookupFunction, Socket } from 'node:net'
import { connect, createSecureContext, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { identityCheck, serverName } from './identity-check.ts'
import { present, presentedIn, type PresentedCertificate } from './presented.ts'
import { filesOf, marksOf, readFiles, type FileContents } from './tls-files.ts'
import { tlsFaults } from './tls-faults.ts'
import type { TlsOptions } from './tls-options.ts'
import { isRefusal, shorten } from './tls-reasons.ts'

/** Where to connect. */
interface Place {
  readonly host: string
  readonly port?: number
  /** Of a Unix socket, in place of a port. */
  readonly path?: string
  readonly lookup?: LookupFunction
}

/** The first certificate of a PEM text, which is that of its owner. */
function leafOf(pem: unknown): X509Certificate | undefined {
  try {
    return typeof pem === 'string' || Buffer.isBuffer(pem) ? new X509Certificate(pem) : undefined
  } catch {
    return undefined
  }
}

/**
 * TLS to backends by one set of options: one object for all backends that have the same. Its files may be read again; what
 * was opened before stays as it is.
 */
export class BackendTls {
  /** The files that its options name. */
  readonly files: readonly string[]
  /** The marks of its files when they were last read, see `marksOf`. */
  marks: string
  readonly #options: TlsOptions
  readonly #own: TlsOptions | undefined
  readonly #place: string
  #contents: FileContents
  #context: SecureContext | undefined

  /**
   * `own`: what of the options is a backend's own; `place`: where they stand, for what is said about them.
   * @throws Error naming every file that cannot be read
   */
  constructor(options: TlsOptions, own: TlsOptions | undefined, place: string) {
    this.#options = options
    this.#own = own
    this.#place = place
    this.files = filesOf(options).map(({ path }) => path)
    this.marks = marksOf(this.files)
    const faults: string[] = []
    this.#contents = readFiles(options, faults)
    if (faults.length > 0) throw new Error(faults.map((fault) => `${place}.${fault}`).join('; '))
  }

  /** Is it for options that say the same? */
  isFor(options: TlsOptions): boolean {
    return isDeepStrictEqual(options, this.#options)
  }

  /** Has the backend these options of its own? */
  isOwn(options: TlsOptions | undefined): boolean {
    return isDeepStrictEqual(options, this.#own)
  }

  /** Reads its files again: true if they hold something else by now. @throws Error naming every fault: all stays as it is */
  reread(): boolean {
    this.marks = marksOf(this.files)
    const faults: string[] = []
    const contents = readFiles(this.#options, faults)
    if (faults.length === 0 && isDeepStrictEqual(contents, this.#contents)) return false
    const found =
      faults.length > 0
        ? faults.map((fault) => `${this.#place}.${fault}`)
        : tlsFaults(this.#options, this.#place, contents)
    if (found.length > 0) throw new Error(found.join('; '))
    this.#contents = contents
    this.#context = undefined
    return true
  }

  /** The server name that is sent (SNI), if one is. */
  serverNameFor(hostname: string): string | undefined {
    return serverName(this.#options, hostname)
  }

  /** Options for connections to a host; without TLS, only those of sockets. */
  optionsFor(isSecure: boolean): ConnectionOptions {
    const { caFile: _, certFile: __, keyFile: ___, names: ____, pins: _____, ...options } = this.#options
    if (!isSecure) return options
    // Keys and certificates are parsed once, not for each connection.
    const secureContext = (this.#context ??=
      options.secureContext ?? createSecureContext({ ...options, ...this.#contents }))
    const check = identityCheck(this.#options)
    return { ...options, secureContext, ...(check !== undefined && { checkServerIdentity: check }) }
  }

  /** Opens a connection outside of a pool, as for traffic; `protocols` are offered (ALPN). */
  connect(place: Place, protocols: readonly string[], over?: Socket): TLSSocket {
    const servername = this.serverNameFor(place.host) ?? ''
    const options = { ...this.optionsFor(true), ...place, servername, ALPNProtocols: [...protocols] }
    const socket = connect(over === undefined ? options : { ...options, socket: over })
    this.watch(socket)
    return socket
  }

  /** The certificate that an error of TLS is about. */
  presentedIn(error: unknown): PresentedCertificate | undefined {
    return presentedIn(error)
  }

  /**
   * Notes which certificate the errors of a connection are about. Call what it returns once it is connected: from then on
   * only ours can be refused, which TLS 1.3 says after the handshake.
   */
  watch(socket: TLSSocket): () => void {
    const own = leafOf(this.#contents.cert ?? this.#options.cert)
    // oxlint-disable-next-line typescript/unbound-method -- it is called on this socket alone
    const { destroy } = socket
    function note(error: Error): void {
      shorten(error)
      const received = socket.getPeerX509Certificate()
      const certificate = isRefusal(error, received) ? own : received
      if (certificate !== undefined) present(error, certificate)
    }
    // When it has been destroyed, Node no longer tells what came.
    socket.destroy = (error) => {
      if (error !== undefined && error !== null) note(error)
      return destroy.call(socket, error)
    }
    return () => {
      delete (socket as Partial<Socket>).destroy
      socket.once('error', (error) => {
        shorten(error)
        if (!isRefusal(error)) return
        if (own !== undefined) present(error, own)
        // The end of the stream follows, and undici would take that for the reason.
        socket.destroy()
      })
    }
  }
}
