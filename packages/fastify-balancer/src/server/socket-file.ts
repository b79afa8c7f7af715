import { lstatSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { CommandError } from '../command-error.ts'

/** The code of the error, or undefined when somebody answers. */
function codeOfConnecting(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'))
  })
}

/**
 * Makes way for a Unix socket: removes the file of a process that is gone.
 * @throws CommandError when a process still listens there, or when something else has that name
 */
export async function clearSocketFile(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new CommandError(`${path} exists, and is not a socket: choose another path`, 1)
  const code = await codeOfConnecting(path)
  if (code === undefined)
    throw new CommandError(`the socket ${path} is in use by another process: choose another path`, 1)
  // Whatever else went wrong, a process may be there: `listen` will tell.
  if (code === 'ECONNREFUSED') unlinkSync(path)
}
