/** The address of a backend, as our file has it: `authority` is host and port, or a Unix socket such as `unix:/run/app.sock`. */
export function backendUrl(authority: string, scheme: string): string {
  return authority.startsWith('unix:') && scheme === 'http' ? authority : `${scheme}://${authority}`
}
