import { CommandError } from '../../command-error.ts'
import { readArguments } from '../../command/arguments.ts'
import { lineOf } from '../../configuration/document/fault.ts'
import { usableReading } from '../../reload/serve-file.ts'
import { serveWorker, type Described } from './serve-worker.ts'
import { WorkerOfParent } from './worker.ts'

/** Runs a command line as one of several workers. */
export async function workerCommand(argv: readonly string[], worker: WorkerOfParent): Promise<void> {
  const { text } = await worker.beginning
  await serveWorker(worker, async (report): Promise<Described> => {
    const command = readArguments(argv)
    if (command.kind === 'serve') {
      if (command.configuration.balancers[0]?.backends?.length === 0)
        throw new CommandError('--workers needs backends: the demo runs in one process', 2)
      return { ...command, files: [] }
    }
    if (command.kind !== 'file') throw new CommandError('--workers: there is nothing to run', 2)
    const { configuration, warnings, files } = await usableReading(command, report, text)
    return { configuration, warnings: warnings.map(lineOf), files }
  })
}
