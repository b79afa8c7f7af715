import type { ServerResponse } from 'node:http'

/** Aborts a response that has begun, so that the client cannot take it for complete. */
export function breakOff(response: ServerResponse, error: Error): void {
  // With HTTP/1.0 the end of the connection is the end of the body: only a reset shows an error.
  if (response.req.httpVersion === '1.0') response.socket?.resetAndDestroy()
  // With an error: on HTTP/2 a bare destroy would look like a clean end.
  response.destroy(error)
}
