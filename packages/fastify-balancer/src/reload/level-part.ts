import type { Configuration } from '../configuration/configuration.ts'
import type { RunningServer } from '../server/running-server.ts'
import { unchanged, type Part } from './part.ts'

/** How much is logged, of what begins from now on. */
export function levelPart(
  { all }: RunningServer,
  { form, level: before = 'info' }: Configuration['log'],
  { level: now = 'info' }: Configuration['log'],
): Part {
  if (before === now || form === 'off') return unchanged
  return {
    ...unchanged,
    changes: [{ option: 'log.level', from: before, to: now }],
    commit() {
      for (const { app } of all) app.log.level = now
    },
  }
}
