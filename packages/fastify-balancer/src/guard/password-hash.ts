import { verify as verifyBcrypt } from '@node-rs/bcrypt'
import apacheMd5 from 'apache-md5'
import { createHash, timingSafeEqual } from 'node:crypto'

/** Does a password fit? */
export type PasswordCheck = (password: string) => Promise<boolean>

// What it is at run time: its types tell of an ES module, which it is not.
const apr1 = apacheMd5 as unknown as (password: string, salt: string) => string

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const kinds: readonly { readonly form: RegExp; readonly check: (hash: string) => PasswordCheck }[] = [
  {
    // On a thread of its own: requests go on meanwhile.
    form: /^\$2[aby]\$\d\d\$[./\dA-Za-z]{53}$/,
    check: (hash) => (password) => verifyBcrypt(password, hash),
  },
  {
    form: /^\$apr1\$[^$]{1,8}\$[./\dA-Za-z]{22}$/,
    // The library takes a character for a byte.
    check: (hash) => async (password) => isEqual(apr1(Buffer.from(password).toString('latin1'), hash), hash),
  },
  {
    form: /^\{SHA\}[+/\dA-Za-z]{27}=$/,
    check: (hash) => async (password) => isEqual(`{SHA}${createHash('sha1').update(password).digest('base64')}`, hash),
  },
]

/** What checks passwords against a hash as htpasswd writes it (bcrypt, apr1, `{SHA}`); undefined where it is none of these. */
export function passwordCheckOf(hash: string): PasswordCheck | undefined {
  return kinds.find(({ form }) => form.test(hash))?.check(hash)
}
