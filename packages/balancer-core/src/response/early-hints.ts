import type { FastifyReply } from 'fastify'
import type { IncomingFields } from '../headers/fields.ts'

/** Passes 103 Early Hints on (RFC 8297): what of them a response may hint at, the links. */
export function writeEarlyHints({ request, raw }: FastifyReply, { link }: IncomingFields): void {
  // An HTTP/1.0 client would take it for the response (RFC 9110 §15.2).
  if (link === undefined || request.raw.httpVersion === '1.0') return
  const fields = Array.isArray(link) ? link : [String(link)]
  try {
    // Node takes one link in each string, a field may hold several.
    raw.writeEarlyHints({ link: fields.flatMap((field) => field.split(/,(?=\s*<)/).map((one) => one.trim())) })
  } catch {
    // Node refuses links that it does not understand; a hint is not worth a response.
  }
}
