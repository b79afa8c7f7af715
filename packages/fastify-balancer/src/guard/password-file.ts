import { quoted } from '@fastify-balancer/option-schema'
import { passwordCheckOf, type PasswordCheck } from './password-hash.ts'

/** A file of passwords that cannot be used; the message names the line, and never what stands in it. */
export class PasswordFileError extends Error {}

/**
 * Reads the text of a file as htpasswd writes it, one `name:hash` a line.
 * @throws PasswordFileError naming the first line that is wrong; `file` is how the file is named there
 */
export function readPasswords(file: string, text: string): ReadonlyMap<string, PasswordCheck> {
  const users = new Map<string, PasswordCheck>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const wrong = (fault: string) => new PasswordFileError(`${file}:${index + 1}: ${fault}`)
    // nginx allows a comment after a second colon.
    const [, name, hash] = /^([^:]+):([^:]*)/.exec(line) ?? []
    if (name === undefined || hash === undefined)
      throw wrong('expected a name, a colon and a password hash, as `htpasswd -B` writes them')
    const check = passwordCheckOf(hash.trim())
    if (check === undefined)
      throw wrong(
        `the password of ${quoted(name)} is not hashed with bcrypt, apr1 or {SHA}: write it with \`htpasswd -B\``,
      )
    if (users.has(name)) throw wrong(`the name ${quoted(name)} is given twice`)
    users.set(name, check)
  }
  if (users.size === 0) throw new PasswordFileError(`${file} names no user: add one with \`htpasswd -B\``)
  return users
}
