import type { Backend } from '@fastify-balancer/balancer-core'
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Bytes of each half: 128 bits are enough (RFC 6265bis leaves it to the server; OWASP asks for 64 of a session's id). */
const half = 16

/** The length of every token. */
export const tokenLength = Math.ceil((2 * half * 4) / 3)

const mac = (secret: string, ...parts: readonly string[]) =>
  createHmac('sha256', secret).update(JSON.stringify(parts)).digest().subarray(0, half)

/**
 * The tokens of a balancer's backends. The first half names a backend, by an HMAC over its id; the second says that the
 * first was made with the secret, also when that backend is no longer known. Both depend on the name of the balancer, so a
 * token is good for no other. The same id, name and secret give the same token in every process and at any time.
 */
export class Tokens {
  readonly #secrets: readonly string[]
  readonly #balancer: string
  readonly #known = new WeakMap<Backend, readonly string[]>()

  /** `secrets`: the first one is that of new tokens. `balancer`: its name. */
  constructor(secrets: readonly string[], balancer: string) {
    this.#secrets = secrets
    this.#balancer = balancer
  }

  /** Of one backend, by each secret. */
  of(backend: Backend): readonly string[] {
    let tokens = this.#known.get(backend)
    if (tokens === undefined) {
      tokens = this.#secrets.map((secret) => {
        const name = mac(secret, 'backend', this.#balancer, backend.id)
        return Buffer.concat([name, this.#proofOf(name, secret)]).toString('base64url')
      })
      this.#known.set(backend, tokens)
    }
    return tokens
  }

  /** By their tokens, so that a request costs no cryptography. */
  among(backends: readonly Backend[]): ReadonlyMap<string, Backend> {
    return new Map(backends.flatMap((backend) => this.of(backend).map((token) => [token, backend] as const)))
  }

  /** Was it made here, for whichever backend? */
  isGenuine(token: string): boolean {
    const bytes = Buffer.from(token, 'base64url')
    if (bytes.length !== 2 * half) return false
    const name = bytes.subarray(0, half)
    return this.#secrets.some((secret) => timingSafeEqual(this.#proofOf(name, secret), bytes.subarray(half)))
  }

  #proofOf(name: Buffer, secret: string): Buffer {
    return mac(secret, 'proof', this.#balancer, name.toString('base64url'))
  }
}
