// Room `requests`: what holds for every request: bodies, validation, other origins, error answers.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import { NotJsonError } from '../errors.ts'

type Done = (error: Error | null, body?: unknown) => void

/** A content type without a body is ignored; with a body, it must be JSON. */
function refuseContent(_request: FastifyRequest, payload: Readable, done: Done): void {
  const settle = (error: Error | null) => {
    payload.off('data', onData).off('end', onEnd).off('error', settle).pause()
    done(error)
  }
  const onData = () => settle(new NotJsonError())
  const onEnd = () => settle(null)
  payload.on('data', onData).on('end', onEnd).on('error', settle)
}

/**
 * Bodies are JSON, of at most `bodyLimit` bytes. Where there is none there is nothing to parse, whatever its type is said to
 * be: many clients set `content-type: application/json` on all that they send, `DELETE` included.
 */
export function readBodies(scope: FastifyInstance, bodyLimit: number): void {
  scope.removeAllContentTypeParsers()
  const parse = scope.getDefaultJsonParser('error', 'error')
  scope.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit }, (request, body, done) => {
    if (body.length === 0) done(null)
    else void parse(request, body as string, done)
  })
  scope.addContentTypeParser('*', refuseContent)
}
