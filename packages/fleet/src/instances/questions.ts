import type { Store, Unsubscribe } from '../store/store.ts'

/** What others have answered to a question, by the ids of instances. */
export interface Answers<Answer> {
  readonly answers: ReadonlyMap<string, Answer>
  /** Instances that have not answered in time, or could not. */
  readonly missing: readonly string[]
}

interface Asked {
  readonly number: number
  readonly from: string
  readonly question: unknown
}

interface Answered {
  readonly number: number
  readonly from: string
  readonly answer?: unknown
  readonly failed?: true
}

/** A question that is waiting for answers. */
interface Waiting {
  /** Instances that may still answer. */
  readonly open: Set<string>
  readonly answers: Map<string, unknown>
  readonly end: () => void
}

/** Questions to other instances, over hints of the store. */
export class Questions {
  readonly #store: Store
  readonly #id: string
  readonly #waiting = new Map<number, Waiting>()
  readonly #stop: Unsubscribe
  #last = 0
  #isClosed = false

  constructor(store: Store, id: string) {
    this.#store = store
    this.#id = id
    this.#stop = store.subscribe(`answer/${id}`, (message) => this.#observe(message as Answered))
  }

  /** Asks these instances; resolves when all have answered, or after `timeout` ms. Instances that leave meanwhile are missing. */
  ask<Answer>(topic: string, question: unknown, whom: readonly string[], timeout: number): Promise<Answers<Answer>> {
    const number = ++this.#last
    return new Promise((resolve) => {
      const answers = new Map<string, Answer>()
      const open = new Set(whom)
      const timer = setTimeout(() => end(), timeout)
      const end = () => {
        clearTimeout(timer)
        this.#waiting.delete(number)
        resolve({ answers, missing: whom.filter((id) => !answers.has(id)) })
      }
      if (open.size === 0 || this.#isClosed) return end()
      this.#waiting.set(number, { open, answers, end })
      const asked: Asked = { number, from: this.#id, question }
      for (const id of whom) this.#store.publish(`ask/${id}/${topic}`, asked)
    })
  }

  /** Answers questions of a topic. What throws is told as missing. */
  answer(topic: string, answer: (question: unknown, from: string) => unknown): Unsubscribe {
    return this.#store.subscribe(`ask/${this.#id}/${topic}`, (message) => {
      const { number, from, question } = message as Asked
      const reply = (rest: Pick<Answered, 'answer' | 'failed'>) =>
        this.#store.publish(`answer/${from}`, { number, from: this.#id, ...rest } satisfies Answered)
      const work = async () => answer(question, from)
      // What cannot be sent is no answer, either.
      void work()
        .then((value) => reply({ answer: value }))
        .catch(() => reply({ failed: true }))
    })
  }

  /** Only these instances are left: nobody waits for others. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const waiting of this.#waiting.values())
      for (const id of waiting.open) if (!ids.has(id)) this.#settle(waiting, id)
  }

  close(): void {
    this.#isClosed = true
    this.#stop()
    for (const { end } of this.#waiting.values()) end()
  }

  #observe({ number, from, answer, failed }: Answered): void {
    const waiting = this.#waiting.get(number)
    if (waiting === undefined || !waiting.open.has(from)) return
    if (failed !== true) waiting.answers.set(from, answer)
    this.#settle(waiting, from)
  }

  #settle({ open, end }: Waiting, id: string): void {
    open.delete(id)
    if (open.size === 0) end()
  }
}
