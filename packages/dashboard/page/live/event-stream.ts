import { eventTypes, type FeedEvent } from './events.ts'
import type { Connection } from './state.ts'
import type { Figures } from '../api/views.ts'

/** Pause before a reconnection (ms); doubles with each failed one. */
const shortestPause = 500
const longestPause = 8000

/** Figures come once a second; after this time without any (ms), the stream counts as dead. */
const longestSilence = 10_000

/** So many events of the past are asked for at first. */
const recent = 100

/** Receives what the stream sends. */
export interface StreamListener {
  connection(connection: Connection): void
  /** The stream has (re)connected: earlier data may be stale. */
  opened(): void
  event(event: FeedEvent): void
  figures(figures: Figures): void
  /** Events were missed. */
  gap(): void
}

/** A server-sent event, as EventSource delivers it. */
interface Told {
  readonly data: string
  readonly lastEventId: string
}

function told(event: Event): Told {
  return event as Event & Told
}

/** The event stream; reconnects by itself and resumes where it was interrupted. */
export class EventStream {
  readonly #url: URL
  readonly #listener: StreamListener
  #source: EventSource | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #pause = shortestPause
  /** Id of the last event that had one. */
  #lastId = ''

  constructor(url: URL, listener: StreamListener) {
    this.#url = new URL(url)
    this.#url.searchParams.set('type', eventTypes.join(','))
    this.#listener = listener
  }

  open(): void {
    const url = new URL(this.#url)
    if (this.#lastId === '') url.searchParams.set('recent', String(recent))
    else url.searchParams.set('lastEventId', this.#lastId)
    const source = new EventSource(url)
    this.#source = source
    source.addEventListener('open', () => {
      this.#pause = shortestPause
      this.#listener.connection('live')
      this.#listener.opened()
    })
    // EventSource itself stops reconnecting after any response but 200.
    source.addEventListener('error', () => this.#comeBack())
    for (const type of eventTypes) {
      source.addEventListener(type, (event) =>
        type === 'figures' ? this.#figures(told(event)) : this.#event(told(event)),
      )
    }
    source.addEventListener('gap', (event) => {
      this.#lastId = told(event).lastEventId
      this.#listener.gap()
    })
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#source?.close()
  }

  #event({ data, lastEventId }: Told): void {
    this.#lastId = lastEventId
    this.#listener.event(JSON.parse(data) as FeedEvent)
  }

  #figures({ data }: Told): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#comeBack(), longestSilence)
    this.#listener.figures(JSON.parse(data) as Figures)
  }

  #comeBack(): void {
    this.close()
    this.#listener.connection('reconnecting')
    this.#timer = setTimeout(() => this.open(), this.#pause)
    this.#pause = Math.min(2 * this.#pause, longestPause)
  }
}
