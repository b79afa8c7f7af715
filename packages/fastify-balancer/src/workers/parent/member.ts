import type { Listening, Refusal } from '../channel/messages.ts'

/** One worker process. */
export interface Member {
  /** No other one ever has it. */
  readonly number: number
  /** Which of the workers it is, from 1; the one that replaces it has the same. */
  readonly place: number
  /** Rises with each rolling restart. */
  readonly generation: number
  readonly state: 'starting' | 'ready' | 'draining'
}

/** What a crew has done to its members, and what it tells. */
export interface Hands {
  start(member: Member): void
  /** It takes nothing new, finishes what it has, and exits. */
  drain(member: Member): void
  kill(member: Member): void
  /** All listen for the first time, but for those that have failed. */
  allReady(): void
  /** One has died that should not have; `wait` until it is replaced (ms), undefined = never. */
  died(member: Member, how: string, wait: number | undefined): void
  /** It was killed, since it had not stopped in time. */
  overdue(member: Member): void
  /** None is left. `refusal`: why it could not begin. */
  over(exitCode: number, refusal: Refusal | undefined): void
}

/** What is told of the workers, beside the log. */
export interface Onlooker {
  /** All listen: from the worker that was first. */
  allReady(listening: Listening): void
  /** None is left. `refusal`: why they could not begin. */
  over(exitCode: number, refusal: Refusal | undefined): void
}

/** What came of it that a new generation was to take over. */
export interface Takeover {
  /** Why the one before goes on. */
  readonly fault: string | undefined
  readonly listening: Listening | undefined
}
