import { basename } from 'node:path'
import { FileWatch } from '../../reload/file-watch.ts'
import type { Wanted } from './wanted.ts'
import { ParentReload } from './parent-reload.ts'
import { Parent } from './parent.ts'

/** Lets workers run a file, and follows it: on SIGHUP, by `POST /reload`, and whenever it changes or a file that it names. */
async function follow(parent: Parent, file: string, given: Wanted['given']): Promise<void> {
  // Known before the workers read them, so that no change is missed.
  const watch = await FileWatch.open([file])
  let known: readonly string[] = [file]
  let isReady = false
  let isDue = false
  const reload = new ParentReload(parent, file, given, async (files, isUsable) =>
    // As long as something is wrong, it may be in a file that was named before.
    watch.follow(isUsable ? files : [...new Set([...files, ...known])]),
  )
  process.on('SIGHUP', () => {
    if (!isReady) isDue = true
    else if (!parent.workforce.isStopping) void reload.reload({ trigger: 'SIGHUP' })
  })
  parent.workforce.onStale = (channel) => void reload.bringUpToDate(channel).catch(() => {})
  parent.reload = (order) => reload.reload({ ...order, trigger: 'api' })
  void parent.ready.then(async ({ files }) => {
    known = files
    await watch.follow(files)
    isReady = true
    if (isDue) void reload.reload({ trigger: 'SIGHUP' })
    await watch.start((changed) => {
      const trigger = `${changed.map((one) => basename(one)).join(', ')} changed`
      void reload.reload({ trigger, isAutomatic: true })
    })
  })
}

/**
 * Runs a command in so many workers until a signal stops it; answers the exit code.
 * @throws CommandError when they cannot begin
 */
export async function runParent({ count, log, file, text, given }: Wanted): Promise<number> {
  const parent = await Parent.open({ count, log, ...(text !== undefined && { text }) })
  if (file !== undefined) await follow(parent, file, given)
  return parent.run()
}
