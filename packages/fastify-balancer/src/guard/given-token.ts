import { fileError } from '../file-error.ts'
import { wrong } from '../values/wrong-arguments.ts'
import { readTokenFile, tokenFault } from './token.ts'

/** The variable that may hold the token. */
const tokenVariable = 'BALANCER_ADMIN_TOKEN'

/** A token for the admin API, and what should be mended about it. */
interface GivenToken {
  readonly token: string | undefined
  readonly warning: string | undefined
}

function checked(token: string, where: string): string {
  const fault = tokenFault(token)
  if (fault !== undefined) throw wrong(`${where} ${fault}`)
  return token
}

/**
 * The token of `--admin-token-file`, or of the variable: the command line itself can be seen by every user of the machine.
 * @throws CommandError
 */
export function givenToken(
  file: string | undefined,
  { [tokenVariable]: variable }: Readonly<Record<string, string | undefined>>,
): GivenToken {
  if (file === undefined) {
    // Empty is how a variable that nobody has set looks in many a template: the API must not be open then.
    const token = variable === undefined ? undefined : checked(variable, `the variable ${tokenVariable}`)
    return { token, warning: undefined }
  }
  try {
    const { token, isPublic } = readTokenFile(file)
    const warning = isPublic ? `every user of this machine may read ${file}: change that with chmod o-r` : undefined
    return { token: checked(token, file), warning }
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? fileError('the admin token', file, error) : error
  }
}
