import type { Wanted } from '../wanted.ts'
import { Parent } from './parent.ts'

/**
 * Runs a command in so many workers until a signal stops it; answers the exit code.
 * @throws CommandError when they cannot begin
 */
export async function runParent({ count, log, text }: Wanted): Promise<number> {
  const parent = await Parent.open({ count, log, ...(text !== undefined && { text }) })
  return parent.run()
}
