import { createError } from '@fastify/error'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { PasswordCheck } from './password-hash.ts'

const TooManySignInsError = createError(
  'FST_BALANCER_TOO_MANY_SIGN_INS',
  'Too many passwords are being checked: try again in a second',
  503,
)

/** A hash is made to take long: so many may wait for their turn, and one is checked at a time. */
const mostWaiting = 16

/** Good credentials are remembered, for a page asks every second. So many of them at most. */
const mostRemembered = 256

/** Checks names and passwords, one after the other: a client that guesses must not take the CPU from the traffic. */
export class Passwords {
  /** Of the text that they were read from. */
  readonly digest: string
  readonly #users: ReadonlyMap<string, PasswordCheck>
  readonly #key = randomBytes(32)
  readonly #good = new Set<string>()
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(users: ReadonlyMap<string, PasswordCheck>, text = '') {
    this.digest = createHash('sha256').update(text).digest('base64')
    this.#users = users
  }

  /** Is there such a user, with this password? @throws TooManySignInsError */
  async check(name: string, password: string): Promise<boolean> {
    const digest = createHmac('sha256', this.#key).update(`${name}:${password}`).digest('base64')
    if (this.#good.has(digest)) return true
    if (this.#waiting >= mostWaiting) throw new TooManySignInsError()
    this.#waiting++
    const checking = this.#last.then(() => this.#look(name, password))
    this.#last = checking.catch(() => {})
    try {
      if (!(await checking)) return false
    } finally {
      this.#waiting--
    }
    if (this.#good.size >= mostRemembered) this.#good.clear()
    this.#good.add(digest)
    return true
  }

  async #look(name: string, password: string): Promise<boolean> {
    const known = this.#users.get(name)
    // An unknown name takes as long, so that names cannot be guessed by the time.
    const [any] = this.#users.values()
    const fits = await (known ?? any)?.(password)
    return known !== undefined && fits === true
  }
}
