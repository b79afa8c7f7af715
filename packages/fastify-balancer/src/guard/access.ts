import { readFileSync } from 'node:fs'
import { CommandError } from '../command-error.ts'
import { fileError } from '../file-error.ts'
import type { Access } from './admin-guard.ts'
import { PasswordFileError, readPasswords } from './password-file.ts'
import { Passwords } from './passwords.ts'
import { tokenFault } from './token.ts'

function passwordsOf(file: string): Passwords {
  try {
    const text = readFileSync(file, 'utf8')
    return new Passwords(readPasswords(file, text), text)
  } catch (error) {
    if (error instanceof PasswordFileError) throw new CommandError(error.message, 2)
    throw fileError('the file of passwords', file, error)
  }
}

/** What opens the admin API: a token, and the path of a file of passwords. */
interface Credentials {
  readonly token?: string
  readonly basicAuth?: string
}

/** Who may use the admin API, with the file of passwords read. @throws CommandError */
export function accessOf({ token, basicAuth }: Credentials): Access {
  const fault = token === undefined ? undefined : tokenFault(token)
  if (fault !== undefined) throw new CommandError(`the admin token ${fault}`, 2)
  return { token, passwords: basicAuth === undefined ? undefined : passwordsOf(basicAuth) }
}
