import { CommandError } from './command-error.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
}

/** Why a file could not be read, in one line; `what` says what it was to be: `the certificate`. */
export function fileError(what: string, file: string, error: unknown): CommandError {
  const { code = '', message } = error as NodeJS.ErrnoException
  return new CommandError(`cannot read ${what} ${file}: ${reasons[code] ?? message}`, 2)
}
