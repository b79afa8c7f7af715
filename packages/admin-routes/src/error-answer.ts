import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { STATUS_CODES } from 'node:http'
import type { Desk } from './desk.ts'
import type { BadRequestError } from './errors.ts'

function statusOf(error: Partial<FastifyError>, reply: FastifyReply): number {
  const status = error.statusCode ?? (error as { status?: unknown }).status ?? reply.statusCode
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500
}

/** Answers what was thrown, in Fastify's shape; with what the one who asked needs to ask again. */
export function answerErrors(desk: Desk) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const error = (thrown ?? {}) as Partial<FastifyError> & Partial<BadRequestError>
    const statusCode = statusOf(error, reply)
    const isOurs = error.statusCode !== undefined
    if (statusCode >= 500) request.log.error({ err: thrown }, 'an admin route failed')
    const reason = STATUS_CODES[statusCode] ?? 'Error'
    const { name } = (request.params ?? {}) as { name?: string }
    const balancer = statusCode === 412 ? desk.balancers.get(name ?? '') : undefined
    if (balancer !== undefined) desk.tag(reply, balancer.set.revision)
    void reply.code(statusCode).send({
      statusCode,
      ...(typeof error.code === 'string' && { code: error.code }),
      error: reason,
      // What nobody meant to be read may say anything.
      message: (statusCode < 500 || isOurs) && typeof error.message === 'string' ? error.message : reason,
      ...(Array.isArray(error.faults) && { faults: error.faults }),
      ...(balancer !== undefined && { current: desk.views.set(balancer) }),
    })
  }
}
