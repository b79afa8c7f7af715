import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyReply } from 'fastify'
import { BadRequestError, StaleRevisionError } from '../errors.ts'

/** A list of entity tags (RFC 9110 §8.8.3), weak ones included. */
const tagList = /^\s*(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*\s*$/

/** The revision that a tag of ours begins with; what follows it is the state of what it was a view of. */
const ours = /^"(\d+)(?:-[\w-]+)?"$/

/** Writes on the answer of a change the revision that it has made: with that as `If-Match`, the next one is built on it. */
export function setRevision(reply: FastifyReply, revision: number): void {
  void reply.header('etag', `"${revision}"`)
}

/**
 * What `If-Match` (RFC 9110 §13.1.1) asks for: the current revision, if that is among those named; undefined if none is
 * asked for. Weak tags match nothing there; what follows the revision in a tag does not count, so that states may change.
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
