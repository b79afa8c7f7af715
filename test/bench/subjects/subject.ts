import type { RunningServer } from '../node-program.ts'
import type { ScenarioName } from '../scenarios.ts'

/** A proxy to be measured. */
export interface Subject {
  readonly name: string
  readonly title: string
  /** To how many of the three backends it forwards; 0 = it answers by itself. */
  readonly backends: 0 | 1 | 3
  /** It may leave out backends that seem slower to it. */
  readonly isSelective?: boolean
  /** The only scenarios that it is measured in; all, if not given. */
  readonly scenarios?: readonly ScenarioName[]
  /** undefined when it is not installed. */
  version(): string | undefined
  /** Starts it, in front of these ports of the loopback. Files of its own may go into the directory. */
  start(ports: readonly number[], directory: string): Promise<RunningServer>
}
