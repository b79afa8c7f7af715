import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyReply } from 'fastify'
import { BadRequestError, StaleRevisionError } from '../errors.ts'

/** A list of entity tags (RFC 9110 §8.8.3), weak ones included. */
const tagList = /^\s*(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*\s*$/

/** Our tags begin with the revision; the digest behind it stands for the current state. */
const ours = /^"(\d+)(?:-[\w-]+)?"$/

/** Sets the new revision as the response's `ETag`, for the client's next `If-Match`. */
export function setRevision(reply: FastifyReply, revision: number): void {
  void reply.header('etag', `"${revision}"`)
}

/**
 * The revision that `If-Match` (RFC 9110 §13.1.1) requires: the current one if it is listed, none if there is no header.
 * Weak tags never match. Only the revision in a tag is compared, so a mere state change does not make it stale.
 * @throws StaleRevisionError; BadRequestError
 */
export function requiredRevision(header: string | undefined, balancer: Balancer): { readonly revision?: number } {
  if (header === undefined || header.trim() === '*') return {}
  if (!tagList.test(header)) throw new BadRequestError([`if-match: expected an entity tag such as "1"`])
  const { revision } = balancer.set
  const tags: readonly string[] = header.match(/(?:W\/)?"[^"]*"/g) ?? []
  if (!tags.some((tag) => Number(ours.exec(tag)?.[1]) === revision))
    throw new StaleRevisionError(revision, tags.join(', '))
  return { revision }
}
