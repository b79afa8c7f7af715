import { CommandError } from './command-error.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read by this user',
  EISDIR: 'it is a folder',
  ENOTDIR: 'there is no such file',
}

/** Why a file could not be read, in words. */
export function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return reasons[code] ?? message.split('\n')[0]!
}

/** That a file could not be read, in one line; `what` says what it was to be: `the certificate`. */
export function fileError(what: string, file: string, error: unknown): CommandError {
  return new CommandError(`cannot read ${what} ${file}: ${reasonOf(error)}`, 2)
}

const hindrances: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'that disk is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a folder',
}

/** Why a file could not be written, in words. */
export function reasonNotWritten(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return hindrances[code] ?? message.split('\n')[0]!
}

/** That a file could not be written, in one line. */
export function writeError(file: string, error: unknown, exitCode: number): CommandError {
  return new CommandError(`cannot write ${file}: ${reasonNotWritten(error)}`, exitCode)
}
