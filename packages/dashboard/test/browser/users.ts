import type { FastifyReply, FastifyRequest } from 'fastify'

/** Who may sign in: a viewer only looks, an operator also acts. */
export type User = 'viewer' | 'operator'

const passwords: Readonly<Record<User, string>> = { viewer: 'open sesame', operator: 'let me work' }

/** What somebody types into the browser's own dialog. */
export function credentialsOf(user: User): { readonly username: string; readonly password: string } {
  return { username: user, password: passwords[user] }
}

/** The header field that somebody signs in with (RFC 7617). */
export function authorizationOf(user: User): string {
  return `Basic ${Buffer.from(`${user}:${passwords[user]}`).toString('base64')}`
}

/** Who asks, if they have signed in. */
export function userOf({ headers }: FastifyRequest): User | undefined {
  return (['viewer', 'operator'] as const).find((user) => headers.authorization === authorizationOf(user))
}

/** Lets through whoever has signed in. */
export async function mustSignIn(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (userOf(request) !== undefined) return
  void reply.header('www-authenticate', 'Basic realm="balancer", charset="UTF-8"')
  throw Object.assign(new Error('Sign in'), { statusCode: 401 })
}

/** Lets through an operator. */
export async function mustOperate(request: FastifyRequest): Promise<void> {
  if (userOf(request) === 'operator') return
  throw Object.assign(new Error('Only operators may do that'), { statusCode: 403 })
}
