// Room `events`: events and live figures, sent as server-sent events.
import type { Clock } from '@fastify-balancer/balancer-core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isGone, whenGone } from '../waiting/gone.ts'
import { StreamsClosedError, TooManyStreamsError } from './errors.ts'
import { figuresFilterOf, filterOf, type EventFilter, type EventsQuery } from './event-filter.ts'
import { isIn, type EventLog, type Origin } from './event-log.ts'
import { EventStream } from './event-stream.ts'
import type { FiguresEvent } from '../figures/figures-event.ts'
import { figuresFrameOf, frameOf } from './frame.ts'
import type { EventDraft } from './event.ts'
import type { EventsSettings } from './options.ts'

/** All clients of one log, with one heartbeat timer for all. */
export class EventStreams {
  readonly log: EventLog
  /** Drives heartbeats and figures. */
  readonly clock: Clock
  /** The time in ms since the epoch. */
  readonly wallClock: () => number
  readonly #settings: EventsSettings
  readonly #open = new Set<EventStream>()
  /** The streams that want figures, and of which balancers. */
  readonly #watching = new Map<EventStream, (balancer: string) => boolean>()
  #timer: unknown
  #isDue = false
  #closed = false

  constructor(log: EventLog, settings: EventsSettings, clock: Clock, wallClock: () => number) {
    this.log = log
    this.#settings = settings
    this.clock = clock
    this.wallClock = wallClock
  }

  /** Number of open streams. */
  get size(): number {
    return this.#open.size
  }

  /** Adds an event. Events of one moment are sent to all streams together. */
  tell(event: EventDraft, origin?: Origin): void {
    this.log.append(event, origin)
    if (this.#isDue || this.#open.size === 0) return
    this.#isDue = true
    queueMicrotask(() => {
      this.#isDue = false
      for (const stream of this.#open) stream.advance()
    })
  }

  /** Sends figures to the streams that want them and keep up; false if there are none. */
  tellFigures(figures: FiguresEvent): boolean {
    const frame = figuresFrameOf(figures)
    for (const [stream, wants] of this.#watching) if (wants(figures.balancer)) stream.offer(frame)
    return this.#watching.size > 0
  }

  /** @throws TooManyStreamsError; StreamsClosedError */
  assertRoom(): void {
    if (this.#closed) throw new StreamsClosedError()
    if (this.#open.size >= this.#settings.maxStreams) throw new TooManyStreamsError(this.#open.size)
  }

  /** Takes over a response whose headers have been written; `last` is the id of the event that its client has seen. */
  add(request: FastifyRequest, reply: FastifyReply, query: EventsQuery, last: string | undefined): void {
    const { raw: response } = reply
    if (isGone(response)) return
    const { log } = this
    const wants = filterOf(query)
    const isNew = last === undefined || last === ''
    const { next, gap, seen } = isNew
      ? { next: log.latest(query.recent ?? 0, wants), gap: undefined, seen: undefined }
      : log.resume(last, this.wallClock())
    const unseen: EventFilter = seen === undefined ? wants : (event) => !isIn(seen, event) && wants(event)
    const stream = new EventStream(response, log, unseen, next, this.#settings.maxQueued)
    // Writing to a lost connection fails; `close` follows.
    response.on('error', () => {})
    this.#open.add(stream)
    whenGone(request, reply, () => {
      this.#open.delete(stream)
      this.#watching.delete(stream)
      if (this.#open.size === 0) this.#stopTimer()
    })
    if (!this.#open.has(stream)) return
    const wantsFigures = figuresFilterOf(query)
    if (wantsFigures !== undefined) this.#watching.set(stream, wantsFigures)
    this.#timer ??= this.#startTimer()
    // With this id, a client that reconnects before its first event misses nothing.
    const id = seen === undefined ? log.idOf(next - 1) : last!
    stream.send(`retry: ${this.#settings.reconnect}\nid: ${id}\n\n${gap === undefined ? '' : frameOf(id, gap)}`)
    stream.advance()
  }

  /** Ends all streams and accepts no new ones. */
  close(): void {
    this.#closed = true
    this.#stopTimer()
    for (const stream of this.#open) stream.end()
    this.#open.clear()
    this.#watching.clear()
  }

  #startTimer(): unknown {
    const { heartbeat } = this.#settings
    return heartbeat === 0 ? undefined : this.clock.setTimeout(() => this.#beat(), heartbeat)
  }

  #stopTimer(): void {
    this.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #beat(): void {
    this.#timer = this.#startTimer()
    const heartbeat = `: heartbeat\nid: ${this.log.idOf(this.log.newest)}\n\n`
    for (const stream of this.#open) stream.beat(heartbeat)
  }
}
