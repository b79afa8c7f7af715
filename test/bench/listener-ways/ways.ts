import { startNodeProgram, type RunningServer } from '../node-program.ts'

/** How processes share a listener. */
export const ways = ['round-robin', 'shared', 'reuse-port'] as const
export type Way = (typeof ways)[number]

export const titles: Record<Way, string> = {
  'round-robin': 'cluster, round robin',
  shared: 'cluster, SCHED_NONE',
  'reuse-port': 'reusePort',
}

/** How many processes serve. */
export const sizes = [2, 4] as const

/** What clients speak. */
export type Listener = 'http1' | 'h2c' | 'tls'

/** What is started; without a way, one process by itself. */
export interface Wanted {
  readonly way?: Way
  readonly workers: number
  readonly listener?: Listener
  /** Ports of the loopback. */
  readonly backends: readonly number[]
}

export function startWorkers({ way, workers, listener = 'http1', backends }: Wanted): Promise<RunningServer> {
  const args = [`--listener=${listener}`, ...backends.map((port) => `http://127.0.0.1:${port}`)]
  if (way === undefined) return startNodeProgram('proxy', 'ours-worker.ts', args)
  return startNodeProgram('proxy', 'ours-workers.ts', [`--way=${way}`, `--workers=${workers}`, ...args])
}
