import type { Seen, Stage, StageOptions } from './stage.ts'

/** How long an incident has lasted when somebody looks (s). */
export const lasts = 60

/** What the page says of an incident, to somebody who opens it when the incident has lasted for a minute. */
export interface OnPage {
  /** Title of the browser's tab. */
  readonly title: string
  /** What is at the top, if anything is. */
  readonly alert?: RegExp
  /** What the cells of some backends say, by their column. */
  readonly rows?: Readonly<
    Record<string, Readonly<Partial<Record<'State' | 'Share' | 'Errors' | 'Probe' | 'Weight', RegExp>>>>
  >
  /** Some of the events, each without its time. */
  readonly events: readonly string[]
  /** Further sums, as it is opened; those of requests are the clients' own. */
  readonly sums?: Readonly<Record<string, string>>
  /** Figures of the process, as it is opened. */
  readonly process?: Readonly<Record<string, string>>
  /** The latest failed request, without its time and duration. */
  readonly failure?: RegExp
}

/** An incident: how it is caused, and by what the page, the API, the log and the metrics explain it, each alone. */
export interface Incident {
  readonly name: string
  readonly stage?: () => StageOptions
  /** Makes it begin, and lets a minute pass. */
  readonly cause: (stage: Stage) => Promise<void>
  /** What clients saw, by status; before it began, 100 were answered well. */
  readonly seen: Seen
  readonly api: {
    /** What is asked, once. */
    readonly path: string
    /** A part of the answer. */
    readonly tells?: object
    /** Sentences of the answer, if it is a list of events. */
    readonly events?: readonly string[]
  }
  readonly log: {
    /** Lines, by themselves: each that stands here stands in the log, as often. */
    readonly lines: readonly string[]
    /** How often requests ended so, without their durations. */
    readonly requests?: Readonly<Record<string, number>>
  }
  /** Values by their names without `fastify_balancer_`, and without the label `balancer`. */
  readonly metrics: Readonly<Record<string, number>>
  readonly page: OnPage
}
