// Room `requests`: handling common to all routes: bodies, validation, cross-origin requests, error responses.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import { NotJsonError } from '../errors.ts'

type Done = (error: Error | null, body?: unknown) => void

/** Another content type is accepted only if there is no body. */
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
 * Accepts JSON bodies of at most `bodyLimit` bytes. An empty body is not parsed: many clients send
 * `content-type: application/json` with every request, `DELETE` included.
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
