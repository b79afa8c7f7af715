import type { RunningServer } from '../../server/running-server.ts'

const levels: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** Lets only lines from this level on into the log, until the returned function is called: workers would all say the same. */
export function silence({ all }: RunningServer, from: 'warn' | 'error'): () => void {
  const before = all.map(({ app }) => app.log.level)
  for (const { app } of all) if (levels.indexOf(app.log.level) < levels.indexOf(from)) app.log.level = from
  return () => {
    for (const [index, { app }] of all.entries()) app.log.level = before[index]!
  }
}
