import type { Instances } from '../instances/instances.ts'
import type { EventDraft } from './event.ts'
import type { EventLog, Origin } from './event-log.ts'
import { plainEvent } from './frame.ts'

/** An event, as an instance sends it to the others. */
interface SentEvent extends Origin {
  readonly event: EventDraft
}

/** A reload is of all instances, and each tells of it: once is enough (ms). */
const sameReload = 10_000

/** The events of all instances: those of this one go to the others, and theirs come here. */
export class SharedEvents {
  readonly #instances: Instances
  readonly #log: EventLog
  readonly #tell: (event: EventDraft, origin: Origin) => void
  /** Of several admin routes of one app, one sends. */
  readonly #isFirst: boolean
  /** What has come before it was known what had happened earlier. */
  #early: SentEvent[] | undefined = []
  #reload: { readonly text: string; readonly at: number } | undefined

  /** `tell` adds an event to the log. */
  constructor(instances: Instances, log: EventLog, tell: (event: EventDraft, origin: Origin) => void) {
    this.#instances = instances
    this.#log = log
    this.#tell = tell
    this.#isFirst = instances.answer('events', () => this.#past())
    instances.fleet?.subscribe('admin-routes/events', (message) => this.#hear(message as SentEvent))
  }

  /** Takes the events that others have kept. */
  async join(): Promise<void> {
    const { fleet, self } = this.#instances
    const oldest = fleet?.instances.find(({ id }) => id !== self)
    const whom = oldest === undefined ? [] : [oldest.id]
    const { answers } = await this.#instances.ask<readonly SentEvent[]>('events', null, whom)
    const early = this.#early ?? []
    this.#early = undefined
    for (const sent of [...[...answers.values()].flat(), ...early]) this.#hear(sent)
  }

  /** Something has happened here. */
  tell(event: EventDraft): void {
    const { fleet, self } = this.#instances
    if (fleet === undefined) return this.#tell(event, this.#log.nextOrigin)
    if (this.#isTold(event)) return
    const told = plainEvent({ ...event, instance: self })
    const origin = this.#log.nextOrigin
    this.#tell(told, origin)
    if (this.#isFirst) fleet.publish('admin-routes/events', { ...origin, event: told } satisfies SentEvent)
  }

  #hear(sent: SentEvent): void {
    if (this.#early !== undefined) return void this.#early.push(sent)
    const { event, epoch, number } = sent
    if (!this.#isTold(event)) this.#tell(event, { epoch, number })
  }

  #isTold(event: EventDraft): boolean {
    if (event.type !== 'reload') return false
    const { applied, trigger, summary, faults, at } = event
    const text = JSON.stringify([applied, trigger, summary, faults])
    const before = this.#reload
    this.#reload = { text, at }
    return before?.text === text && Math.abs(at - before.at) < sameReload
  }

  #past(): readonly SentEvent[] {
    const log = this.#log
    const sent: SentEvent[] = []
    for (let place = log.oldest; place <= log.newest; place++) {
      const { origin, frame } = log.at(place)!
      const { id: _, ...event } = JSON.parse(frame.slice(frame.indexOf('\ndata: ') + 7)) as EventDraft & { id: string }
      sent.push({ ...origin, event })
    }
    return sent
  }
}
