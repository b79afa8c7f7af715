import { readFileSync, statSync } from 'node:fs'

/** Shorter ones can be guessed. */
const longEnough = 16

/** What is wrong with a token; undefined if nothing is. It never says what the token is. */
export function tokenFault(token: string): string | undefined {
  if (token === '') return 'is empty'
  if (/[\r\n]/.test(token)) return 'has several lines: expected the token alone'
  return /^[!-~]+$/.test(token) ? undefined : 'has spaces, or letters other than ASCII, which no HTTP header can carry'
}

/** What is odd about a token that works. */
export function tokenWarning(token: string): string | undefined {
  return token.length < longEnough ? 'is short, so it can be guessed: make one with `openssl rand -hex 32`' : undefined
}

/** A token that was read from a file, without the line's end; and whether every user of the machine may read it. */
export interface TokenFile {
  readonly token: string
  readonly isPublic: boolean
}

/** @throws NodeJS.ErrnoException when it cannot be read */
export function readTokenFile(file: string): TokenFile {
  const token = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  return { token, isPublic: (statSync(file).mode & 0o004) !== 0 }
}
