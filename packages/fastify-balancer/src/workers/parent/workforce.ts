import type { Clock } from '@fastify-balancer/balancer-core'
import type { BalancersStatus } from '../../server/balancers-status.ts'
import type { Beginning, Listening } from '../channel/messages.ts'
import type { ChannelToWorker } from '../channel/channel.ts'
import { Awaited } from './awaited.ts'
import { Crew } from './crew.ts'
import { Heartbeat } from './heartbeat.ts'
import type { Hands, Member, Onlooker, Takeover } from './member.ts'
import type { ParentLog } from './parent-log.ts'
import { Processes, type WorkerProcess } from './processes.ts'
import { newTicketKey, ticketKeyAge } from './ticket-key.ts'

/** One worker, with what is known of it. */
interface Known {
  readonly process: WorkerProcess
  readonly heartbeat: Heartbeat
  /** The text that is in force there. */
  text: string | undefined
  listening: Listening | undefined
  status: BalancersStatus | undefined
}

const seconds = (duration: number) => `${(duration / 1000).toFixed(1)} s`

/** The worker processes: a crew with its processes, and the channels to them. */
export class Workforce {
  /** What is given to those that start, instead of what the file says at that moment. */
  text: string | undefined
  /** Answers what workers ask for. */
  answer: (channel: ChannelToWorker) => void = () => {}
  /** Told of a worker that can be asked from now on, and has another text than is in force now. */
  onStale: (channel: ChannelToWorker) => void = () => {}
  readonly #log: () => ParentLog
  readonly #onlooker: Onlooker
  readonly #clock: Clock
  readonly #processes = new Processes()
  readonly #known = new Map<number, Known>()
  readonly #generations = new Set<number>()
  readonly #crew: Crew
  readonly #answering: Awaited
  readonly #ticketTimer: NodeJS.Timeout
  /** While another generation is to take over, with what the one before it goes on. */
  #outgoing: { readonly text: string | undefined } | undefined
  /** Those that have stopped listening, or are about to while others listen. */
  readonly #quiet = new Set<number>()
  readonly #allQuiet = Promise.withResolvers<void>()
  #ticketKey = newTicketKey()

  constructor(log: () => ParentLog, onlooker: Onlooker, clock: Clock) {
    this.#log = log
    this.#onlooker = onlooker
    this.#clock = clock
    this.#answering = new Awaited(clock)
    this.#crew = new Crew(this.#hands(), clock)
    this.#ticketTimer = setInterval(() => this.renewTicketKey(), ticketKeyAge).unref()
  }

  get isStopping(): boolean {
    return this.#crew.isStopping
  }

  /** Do all that serve answer? */
  get answers(): boolean {
    return this.#serving.length > 0 && this.#serving.every(({ heartbeat }) => !heartbeat.isSilent)
  }

  /** How they are, together. */
  get status(): BalancersStatus & { readonly workers: number } {
    const all = this.#serving.flatMap(({ status }) => status ?? [])
    const { backends = 0, available = 0 } = all[0] ?? {}
    return {
      workers: this.#serving.length,
      backends,
      available,
      exchanges: all.reduce((sum, { exchanges }) => sum + exchanges, 0),
    }
  }

  /** The channels to those that serve and answer, the oldest first. */
  get channels(): readonly ChannelToWorker[] {
    return this.#serving.flatMap(({ process, heartbeat }) => (heartbeat.isSilent ? [] : process.channel))
  }

  /** Resolves once one serves and answers, at most after `patience` ms. */
  async oneAnswers(patience: number): Promise<void> {
    if (this.channels.length === 0) await this.#answering.next(patience)
  }

  /** Those that serve and have another text than is in force. */
  get behind(): readonly string[] {
    const members = this.#crew.ready.filter(({ number }) => this.#known.get(number)!.text !== this.text)
    return members.map((member) => this.#nameOf(member))
  }

  /** A text is in force from now on, and these have it. */
  put(text: string, inForce: readonly ChannelToWorker[]): void {
    this.text = text
    for (const known of this.#known.values()) if (inForce.includes(known.process.channel)) known.text = text
  }

  begin(count: number): void {
    this.#crew.begin(count)
  }

  stop(): void {
    this.#crew.stop()
  }

  stopNow(): void {
    this.#crew.stopNow()
  }

  /** All open the file of their log again. */
  reopenLogs(): void {
    for (const { process } of this.#known.values()) void process.channel.tell('reopenLog', null)
  }

  /** From now on, session tickets are made with another key. */
  renewTicketKey(): void {
    this.#ticketKey = newTicketKey()
    for (const { process } of this.#known.values()) void process.channel.tell('useTicketKey', this.#ticketKey)
  }

  /** Lets a new generation take over, which begins with `text`; see `Crew.restart`. */
  async restart(count: number, text: string | undefined): Promise<Takeover> {
    const before = this.text
    this.#outgoing = { text: before }
    this.text = text
    const fault = await this.#crew.restart(count)
    this.#outgoing = undefined
    if (fault === undefined) {
      await Promise.allSettled(this.channels.map((channel) => channel.ask('takeOver', null)))
      return { fault, listening: this.#serving[0]?.listening }
    }
    this.text = before
    return { fault, listening: undefined }
  }

  get #serving(): readonly Known[] {
    return this.#crew.ready.map(({ number }) => this.#known.get(number)!)
  }

  #hands(): Hands {
    return {
      start: (member) => this.#start(member),
      drain: ({ number }) => {
        if (!this.isStopping) this.#quiet.add(number)
        void this.#known.get(number)!.process.channel.tell('drain', { hasSuccessors: !this.isStopping })
      },
      kill: ({ number }) => this.#known.get(number)!.process.kill(),
      allReady: () => {
        this.#onlooker.allReady(this.#serving[0]!.listening!)
      },
      died: (member, how, wait) => this.#tellDeath(member, how, wait),
      overdue: (member) => this.#log().warn(`${this.#nameOf(member)} has not stopped in time: killed`),
      over: (exitCode, refusal) => {
        clearInterval(this.#ticketTimer)
        this.#onlooker.over(exitCode, refusal)
      },
    }
  }

  #start(member: Member): void {
    const { number } = member
    // The place of one that died meanwhile is filled once the next generation has failed.
    const { text } = this.#crew.isNext(member) ? this : (this.#outgoing ?? this)
    const process = this.#processes.start((how) => {
      const known = this.#known.get(number)
      known?.heartbeat.stop()
      this.#crew.exited(number, how)
      this.#known.delete(number)
      this.#lookForQuiet()
    }, !this.#crew.serves(member))
    const { channel } = process
    const heartbeat = new Heartbeat(
      {
        ask: (question) => void channel.tell('ping', question),
        silent: (duration) => {
          this.#log().warn(
            `${this.#nameOf(member)} has not answered for ${seconds(duration)}: its event loop is blocked`,
          )
          // Nothing else waits for it.
          channel.giveUp('its event loop is blocked')
          this.#lookForQuiet()
        },
        back: (duration) => {
          this.#log().info(`${this.#nameOf(member)} answers again, after ${seconds(duration)}`)
          this.#canBeAsked(known)
        },
      },
      this.#clock,
    )
    const known: Known = { process, heartbeat, text, listening: undefined, status: undefined }
    this.#known.set(number, known)
    channel.hear('listening', (listening) => {
      known.listening = listening
      heartbeat.start()
      this.#crew.listens(number, listening.drainDeadline)
      this.#canBeAsked(known)
    })
    channel.hear('refused', (refusal) => {
      if (this.#crew.hasBegun) this.#log().error(`${this.#nameOf(member)} cannot start: ${refusal.message}`)
      this.#crew.refuses(number, refusal)
    })
    channel.hear('pong', ({ number: question, status }) => {
      known.status = status
      heartbeat.answer(question)
    })
    channel.answer('stoppedListening', async () => {
      this.#quiet.add(number)
      this.#lookForQuiet()
      await this.#allQuiet.promise
      return null
    })
    this.answer(channel)
    const beginning: Beginning = {
      isFirst: !this.#generations.has(member.generation),
      wanted: this.#crew.wanted(member),
      ticketKey: this.#ticketKey,
      ...(text !== undefined && { text }),
    }
    this.#generations.add(member.generation)
    void channel.tell('begin', beginning)
  }

  #canBeAsked({ text, process: { channel } }: Known): void {
    if (text !== this.text) this.onStale(channel)
    if (this.channels.length > 0) this.#answering.tell()
  }

  /** Does nobody listen any more, but for those that do not answer? */
  #lookForQuiet(): void {
    for (const [number, { heartbeat }] of this.#known) if (!heartbeat.isSilent && !this.#quiet.has(number)) return
    if (this.isStopping) this.#allQuiet.resolve()
  }

  #nameOf({ number, place }: Member): string {
    return `worker ${place} (pid ${this.#known.get(number)?.process.pid})`
  }

  #tellDeath(member: Member, how: string, wait: number | undefined): void {
    const failed = 'failed: it has ended five times in a minute, and is not replaced before a rolling restart (SIGUSR2)'
    const then = wait === undefined ? failed : wait === 0 ? 'replaced' : `replaced in ${seconds(wait)}`
    this.#log().error(`${this.#nameOf(member)} ended: ${how}; ${then}`)
  }
}
