/** A clock, as far as needed here; in ms. Its timers do not keep the process alive. */
interface SpellClock {
  now(): number
  setTimeout(callback: () => void, delay: number): unknown
  clearTimeout(timer: unknown): void
}

/** How often the refusals of a spell are summarised (ms). A period without any ends it. */
const period = 10_000

/** Requests that were refused one after the other, never with 20 s in between. */
export interface RefusalSpell<Kind extends string = string> {
  /** It has begun, it was summarised, or it has ended. */
  readonly phase: 'began' | 'lasts' | 'ended'
  /** When the first of them was refused, in ms since the epoch. */
  readonly since: number
  /** How many so far, in all and of each kind. */
  readonly refused: number
  readonly byKind: Readonly<Partial<Record<Kind, number>>>
  /** From the first to the last of them, in ms. */
  readonly duration: number
  /** How many since the last summary, and how long ago that was (ms). */
  readonly recent: { readonly refused: number; readonly duration: number }
}

interface Running<Kind extends string> {
  readonly since: number
  refused: number
  readonly byKind: Partial<Record<Kind, number>>
  /** When the first and the latest one were refused, and when it was summarised last, on the clock in ms. */
  readonly beganAt: number
  lastAt: number
  toldAt: number
  /** How many had been refused by then. */
  told: number
}

/**
 * Counts refused requests and tells of them in spells: at the first one, every 10 s while there are more, and when there were
 * none for that long. There is a timer only during a spell.
 */
export class RefusalSpells<Kind extends string = string> {
  /** Refused since the start. */
  total = 0
  readonly #clock: SpellClock
  readonly #tell: (spell: RefusalSpell<Kind>) => void
  #running: Running<Kind> | undefined
  #timer: unknown

  constructor(clock: SpellClock, tell: (spell: RefusalSpell<Kind>) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  /** Since when requests are being refused, in ms since the epoch; undefined while none are. */
  get since(): number | undefined {
    return this.#running?.since
  }

  /** One more is refused. */
  count(kind: Kind): void {
    const running = (this.#running ??= this.#begin())
    this.total++
    running.refused++
    running.byKind[kind] = (running.byKind[kind] ?? 0) + 1
    running.lastAt = this.#clock.now()
    if (running.refused === 1) this.#tellOf(running, 'began')
  }

  /** Ends the spell, if there is one. */
  stop(): void {
    if (this.#running !== undefined) this.#end(this.#running)
  }

  #begin(): Running<Kind> {
    const now = this.#clock.now()
    this.#arm()
    return { since: Date.now(), refused: 0, byKind: {}, beganAt: now, lastAt: now, toldAt: now, told: 0 }
  }

  #arm(): void {
    this.#timer = this.#clock.setTimeout(() => this.#summarise(this.#running!), period)
  }

  #summarise(running: Running<Kind>): void {
    if (running.refused === running.told) return this.#end(running)
    this.#arm()
    this.#tellOf(running, 'lasts')
    running.toldAt = this.#clock.now()
    running.told = running.refused
  }

  #end(running: Running<Kind>): void {
    this.#clock.clearTimeout(this.#timer)
    this.#running = undefined
    this.#tellOf(running, 'ended')
  }

  #tellOf(
    { since, refused, byKind, beganAt, lastAt, toldAt, told }: Running<Kind>,
    phase: RefusalSpell['phase'],
  ): void {
    const recent = { refused: refused - told, duration: this.#clock.now() - toldAt }
    this.#tell({ phase, since, refused, byKind: { ...byKind }, duration: lastAt - beganAt, recent })
  }
}
