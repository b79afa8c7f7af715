import { CommandError } from '../command-error.ts'
import type { Listener } from '../configuration/configuration.ts'

/** Where a listener listens, in words. */
function placeOf({ port, host, path }: Listener): string {
  return path === undefined ? `port ${port} of ${host}` : `the socket ${path}`
}

/** What to do about it. */
function remedyOf(code: string | undefined, { port = 0, host, path }: Listener): string | undefined {
  if (code === 'EADDRINUSE') return `is in use; choose another ${path === undefined ? 'port' : 'path'}`
  if (code === 'EACCES' && path === undefined && port < 1024)
    return 'is not allowed: ports below 1024 need root or CAP_NET_BIND_SERVICE; choose another port'
  // Of a socket, also where its folder is not there.
  if (code === 'EACCES' && path !== undefined) return 'cannot be made: its folder is not there, or not writable'
  if (code === 'EACCES') return 'is not allowed: choose another'
  if (code === 'EADDRNOTAVAIL') return `cannot be opened: ${host} is not an address of this machine`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `cannot be opened: the name ${host} has no address`
  return undefined
}

/** Why a listener could not begin, in one line. */
export function listenError(error: unknown, listener: Listener): CommandError {
  if (error instanceof CommandError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const remedy = remedyOf(code, listener)
  const place = placeOf(listener)
  return new CommandError(remedy === undefined ? `cannot listen on ${place}: ${message}` : `${place} ${remedy}`, 1)
}
