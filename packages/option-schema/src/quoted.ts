/** A name and password before a host (RFC 3986 §3.2.1). */
const credentials = /((?:[a-z][a-z\d+.-]*:)?\/\/)[^\s/?#'"]*@/gi

/** The query of a URL or of a path. */
const query = /(\/[^\s?'"]*)\?[^\s'"]+/g

/** A message without what may be a secret in the URLs that it names: names and passwords, and queries. */
export function withoutSecrets(text: string): string {
  return text.replace(credentials, '$1…@').replace(query, '$1?…')
}

/** In quotes, what somebody gave as a URL, without what may be a secret in it, however it is misspelt. */
export function quoted(url: string): string {
  const open = url.replace(/^([\w+.-]+:\/\/)?.*@/s, '$1…@')
  return `'${open.replace(/\?.*$/s, '?…')}'`
}
