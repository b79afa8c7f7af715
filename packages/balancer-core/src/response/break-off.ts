import type { ServerResponse } from 'node:http'

/** Ends a response that has begun in such a way that the client cannot take it for whole. */
export function breakOff(response: ServerResponse, error: Error): void {
  // For HTTP/1.0 the end of the connection is the end of the body: only a reset tells.
  if (response.req.httpVersion === '1.0') response.socket?.resetAndDestroy()
  // With an error: on HTTP/2 a bare destroy would look like a clean end.
  response.destroy(error)
}
