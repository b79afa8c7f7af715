import type { Listening, Refusal } from '../channel/messages.ts'

/** What is told of the workers, beside the log. */
export interface Onlooker {
  /** All listen: from the worker that was first. */
  allReady(listening: Listening): void
  /** None is left. `refusal`: why they could not begin. */
  over(exitCode: number, refusal: Refusal | undefined): void
}
