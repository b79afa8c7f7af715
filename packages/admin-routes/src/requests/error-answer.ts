import { concatInSlices } from '@fastify-balancer/option-schema'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { STATUS_CODES } from 'node:http'
import type { Desk } from '../desk.ts'
import type { BadRequestError } from '../errors.ts'
import { setRevision } from '../changes/if-match.ts'
import { FaultView } from '../schemas/views.ts'
import { textOf, WrittenView } from '../views/written-view.ts'

function statusOf(error: Partial<FastifyError>, reply: FastifyReply): number {
  const status = error.statusCode ?? (error as { status?: unknown }).status ?? reply.statusCode
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500
}

/** Errors of hooks and of HTTP error libraries. */
type Thrown = Partial<FastifyError> & Partial<BadRequestError> & { readonly headers?: Record<string, string> }

/** Answers an error in Fastify's shape; a 412 also carries the current list. */
export function answerErrors(desk: Desk) {
  return async (thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const error = (thrown ?? {}) as Thrown
    const statusCode = statusOf(error, reply)
    const isOurs = error.statusCode !== undefined
    if (statusCode >= 500) request.log.error({ err: thrown }, 'an admin route failed')
    const reason = STATUS_CODES[statusCode] ?? 'Error'
    const { name } = (request.params ?? {}) as { name?: string }
    const balancer = statusCode === 412 ? desk.balancers.get(name ?? '') : undefined
    const set = balancer?.set
    const current = set && (await desk.views.set(balancer, set))
    if (set !== undefined) setRevision(reply, set.revision)
    // As Fastify does: a 401 needs its `www-authenticate` (RFC 9110 §15.5.2).
    if (error.headers !== undefined) void reply.headers(error.headers)
    const answer = {
      statusCode,
      ...(typeof error.code === 'string' && { code: error.code }),
      error: reason,
      // The message of an unexpected error may contain anything.
      message: (statusCode < 500 || isOurs) && typeof error.message === 'string' ? error.message : reason,
      ...(Array.isArray(error.faults) && { faults: error.faults }),
    }
    const { error: _reason, ...refused } = answer
    desk.audit.refuse(request, refused)
    void reply.code(statusCode)
    if (current === undefined) return reply.send(answer)
    const parts = [`${textOf(FaultView, answer).slice(0, -1)},"current":`, current.text, '}']
    return reply.send(new WrittenView(await concatInSlices(parts.map((part) => Buffer.from(part)))))
  }
}
