/** A name and password before a host (RFC 3986 §3.2.1). */
const credentials = /((?:[a-z][a-z\d+.-]*:)?\/\/)[^\s/?#'"]*@/gi

/** The query of a URL or of a path. */
const query = /(\/[^\s?'"]*)\?[^\s'"]+/g

/** A message without the possible secrets in its URLs: user names, passwords and queries. */
export function withoutSecrets(text: string): string {
  return text.replace(credentials, '$1…@').replace(query, '$1?…')
}

/** A given URL in quotes, without its possible secrets, even if it is malformed. */
export function quoted(url: string): string {
  const open = url.replace(/^([\w+.-]+:\/\/)?.*@/s, '$1…@')
  return `'${open.replace(/\?.*$/s, '?…')}'`
}
