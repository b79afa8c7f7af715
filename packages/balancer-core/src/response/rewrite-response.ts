import type { Answering } from './response-lane.ts'
import type { OutgoingResponse } from '../headers/rewrite.ts'

/** Lets the user's hook change the response. False: it threw, and the exchange has failed. */
export function rewriteResponse(answer: Answering, out: OutgoingResponse): boolean {
  const { backend, forwarding, request } = answer
  const rewrite = forwarding.rewrite.response
  if (rewrite === undefined) return true
  try {
    rewrite({ in: { backend, status: out.status, headers: { ...out.headers } }, out, request })
    return true
  } catch (error) {
    answer.fail('rewrite-failed', error)
    return false
  }
}
