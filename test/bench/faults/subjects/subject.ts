import type { Subject } from '../../subjects/subject.ts'

/** A balancer to be tested, in front of four backends. */
export interface FaultSubject extends Pick<Subject, 'name' | 'title' | 'version' | 'start'> {
  /** How it is set up to notice sick backends, for people. */
  readonly setting: string
}

/** ms that each subject waits for response headers, whatever its default. */
export const headersTimeout = 5000
/** ms that each subject waits for a connection: our default. */
export const connectTimeout = 2000
