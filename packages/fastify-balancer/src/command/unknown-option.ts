import { quoted } from '@fastify-balancer/option-schema'
import { unknownOption as unknown } from '../values/parsed-arguments.ts'
import { options } from './options.ts'

/** Names that options have elsewhere, or had here, and what to write instead. */
const others: ReadonlyMap<string, string> = new Map([
  ['check', 'use --health-path'],
  ['health-check', 'use --health-path'],
  [
    'admin-token',
    'other users of this machine would see the token in the list of processes: use --admin-token-file, or the variable BALANCER_ADMIN_TOKEN',
  ],
  ['token', 'use --admin-token-file, or the variable BALANCER_ADMIN_TOKEN'],
  ['basic-auth', 'use --admin-password-file'],
  ['admin', 'use --dashboard, which has the admin API too'],
  ['quiet', 'use --log off'],
  ['silent', 'use --log off'],
  ['bind', 'use --host and --port'],
  ['listen', 'use --host and --port'],
  ['address', 'use --host'],
  ['cert', 'use --tls-cert'],
  ['key', 'use --tls-key'],
  ['tls', 'use --tls-cert and --tls-key'],
  ['https', 'use --tls-cert and --tls-key'],
  ['backend', 'write the addresses of the backends without an option'],
  ['upstream', 'write the addresses of the backends without an option'],
  ['weight', 'write it behind the address, as in http://127.0.0.1:3001=5'],
])

/** What to say about an option, `--name` or `-n`, that there is not. */
export function unknownOption(option: string): string {
  const advice = others.get(option.replace(/^-+/, ''))
  return advice === undefined ? unknown(option, options) : `unknown option ${quoted(option)}: ${advice}`
}
