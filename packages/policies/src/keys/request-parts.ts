import type { PickRequest } from '@fastify-balancer/balancer-core'

/** Where the path begins: a proxy may be asked with scheme and host before it. */
function pathStart(url: string): number {
  if (url.startsWith('/')) return 0
  const authority = url.indexOf('://')
  if (authority === -1) return 0
  const slash = url.indexOf('/', authority + 3)
  return slash === -1 ? url.length : slash
}

/** The path as it was sent, without the query. */
export function pathOf(url: string): string {
  const query = url.search(/[?#]/)
  return url.slice(pathStart(url), query === -1 ? url.length : query)
}

/** The first segments of a path, which a slash begins: 2 of `/a/b/c` are `/a/b`. A slash at its end begins none. */
export function segmentsOf(path: string, count: number): string {
  let end = 0
  for (let left = count; left > 0 && end !== -1; left--) end = path.indexOf('/', end + 1)
  const part = end === -1 ? path : path.slice(0, end)
  return part.length > 1 && part.endsWith('/') ? part.slice(0, -1) : part
}

/** What stands behind `name=`, the first time that it begins a part. */
function valueOf(text: string, name: string, from: number, separator: string): string | undefined {
  for (let start = from; start < text.length;) {
    let end = text.indexOf(separator, start)
    if (end === -1) end = text.length
    while (text[start] === ' ' || text[start] === '\t') start++
    if (text.startsWith(name, start) && text[start + name.length] === '=')
      return text.slice(start + name.length + 1, end)
    start = end + 1
  }
  return undefined
}

/** A cookie by its name: the first of that name, as it was sent. */
export function cookieOf({ cookie }: PickRequest['headers'], name: string): string | undefined {
  if (cookie === undefined) return undefined
  return valueOf(Array.isArray(cookie) ? cookie.join('; ') : cookie, name, 0, ';')?.trimEnd()
}

/** A parameter of the query by its name: the first of that name, as it was sent, not decoded (nginx `$arg_…`). */
export function queryOf(url: string, name: string): string | undefined {
  const fragment = url.indexOf('#')
  const target = fragment === -1 ? url : url.slice(0, fragment)
  const query = target.indexOf('?')
  return query === -1 ? undefined : valueOf(target, name, query + 1, '&')
}
