import { RefusalSpells, spoken, type RefusalSpell } from '@fastify-balancer/option-schema'
import type { FastifyInstance } from 'fastify'
import { channel } from 'node:diagnostics_channel'

/** The limits of @fastify/under-pressure, by its names for what is exceeded. */
export type Limits = Readonly<Record<string, number>>

/** How many requests were refused because the process was overloaded: what `app.balancerShedding` is. */
interface Shedding {
  /** Since the start. */
  readonly total: number
  /** Since when requests are being refused, in ms since the epoch; undefined while none are. */
  readonly since: number | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Requests that the option `underPressure` has shed; undefined without it. */
    balancerShedding?: Shedding
  }
}

/** Message of the channel `fastify-balancer:overload`, when requests begin to be shed and when none are any more. */
interface OverloadNotice {
  readonly refusing: boolean
  /** When it began, in ms since the epoch. */
  readonly since: number
  /** How many requests were refused since then. */
  readonly refused: number
  /** What was exceeded last, e.g. `eventLoopDelay`; what was measured, and the limit, in ms, bytes, or as a share from 0 to 1. */
  readonly exceeded: string
  readonly value: number
  readonly limit: number
  /** As it stands in the log. */
  readonly text: string
  /** The app's server, to tell apart several in one process. */
  readonly server?: unknown
}

const overloads = channel<unknown, OverloadNotice>('fastify-balancer:overload')

const mebibytes = (bytes: number) => `${Math.round(bytes / 1_048_576)} MiB`
const percent = (share: number) => `${Math.round(share * 100)} %`

/** What can be exceeded, in words, with its unit. */
const measures: Readonly<Record<string, readonly [words: string, inWords: (value: number) => string]>> = {
  eventLoopDelay: ['event loop delay', spoken],
  eventLoopUtilization: ['event loop utilization', percent],
  heapUsedBytes: ['used heap', mebibytes],
  rssBytes: ['resident memory', mebibytes],
}

/** A measured delay is infinite if the measuring timer itself was late; JSON cannot express that. */
const longestDelay = 3_600_000

/** `event loop delay 1.2 s, limit 1 s` */
function excessText(exceeded: string, value: number, limit: number): string {
  const [words, inWords] = measures[exceeded] ?? [exceeded, String]
  return `${words} ${value === longestDelay ? 'too long to measure' : inWords(value)}, limit ${inWords(limit)}`
}

const counted = (count: number) => `${count} ${count === 1 ? 'request' : 'requests'}`

function textOf({ phase, refused, duration, recent }: RefusalSpell, excess: string): string {
  if (phase === 'began') return `overloaded: requests get 503 (${excess})`
  if (phase === 'lasts')
    return `overloaded: ${counted(recent.refused)} refused in ${spoken(recent.duration)} (${excess})`
  return `no longer overloaded: ${counted(refused)} refused in ${spoken(duration)}`
}

/** Counts what @fastify/under-pressure refuses, and tells of it: in the log, as events, and as `app.balancerShedding`. */
export class ShedRequests implements Shedding {
  readonly #app: FastifyInstance
  readonly #limits: Limits
  readonly #spells: RefusalSpells
  #value = 0
  #exceeded = ''

  /** `limits`: by the names of what is exceeded. */
  constructor(app: FastifyInstance, limits: Limits) {
    this.#app = app
    this.#limits = limits
    this.#spells = new RefusalSpells(clockOf(app), (spell) => this.#tell(spell))
  }

  get total(): number {
    return this.#spells.total
  }

  get since(): number | undefined {
    return this.#spells.since
  }

  /** A request is refused, since this was exceeded. */
  count(exceeded: string, value: number): void {
    this.#exceeded = exceeded
    this.#value = Math.min(value, exceeded === 'eventLoopDelay' ? longestDelay : Infinity)
    this.#spells.count(exceeded)
  }

  /** Cancels its timer. */
  stop(): void {
    this.#spells.stop()
  }

  #tell(spell: RefusalSpell): void {
    const { log, server } = this.#app
    const { phase, since, refused } = spell
    const [exceeded, value] = [this.#exceeded, this.#value]
    const limit = this.#limits[exceeded] ?? 0
    const text = textOf(spell, excessText(exceeded, value, limit))
    const figures = { refused, exceeded, value, limit }
    if (phase === 'ended') log.info(figures, text)
    else log.warn(figures, text)
    if (phase !== 'lasts' && overloads.hasSubscribers)
      overloads.publish({ refusing: phase === 'began', since, ...figures, text, server })
  }
}

/** The clock of the app's balancers: there is one by the time that a request comes. */
function clockOf(app: FastifyInstance): ConstructorParameters<typeof RefusalSpells>[0] {
  const clock = () => app.balancers.values().next().value!.clock
  return {
    now: () => clock().now(),
    setTimeout: (callback, delay) => clock().setTimeout(callback, delay),
    clearTimeout: (timer) => clock().clearTimeout(timer),
  }
}
