/**
 * Why a name has no address: it does not exist, or the look-up failed. Codes and messages are those of `getaddrinfo`.
 */
export class NameError extends Error {
  readonly code: string
  readonly syscall = 'getaddrinfo'
  readonly hostname: string

  constructor(code: 'ENOTFOUND' | 'EAI_AGAIN' | 'ECANCELED', hostname: string, cause?: unknown) {
    super(`getaddrinfo ${code} ${hostname}`, cause === undefined ? {} : { cause })
    this.code = code
    this.hostname = hostname
  }
}
