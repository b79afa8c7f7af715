import type { Report } from '../result/report.ts'
import { textOf, type Directive } from './syntax/directive.ts'
import type { Scope } from './scope.ts'
import type { Location } from './locations.ts'
import { singleServer, type ServerList } from './server-list.ts'

/** Where a location passes its requests to. */
export interface Passing {
  readonly directive: Directive
  readonly scheme: string
  /** As it is written: the name of an upstream, host and port, or a Unix socket. */
  readonly authority: string
  readonly list: ServerList
  /** What takes the place of the location's path, if anything does; `/` = it is taken off. */
  readonly replacement: string | undefined
}

/** A path that backends can get in place of another one. */
const plainPath = /^(?:\/(?!\/)[\w\-.~%!$&'()+,;=@]*)+$/

/** What nginx puts in the place of a location's path; `null` if our file cannot say it. */
function replacementOf(path: string, uri: string | undefined): string | undefined | null {
  if (uri === undefined || uri === path) return undefined
  if (!plainPath.test(uri)) return null
  // With a slash at the end of the location alone, what follows it is put right behind the other path.
  return path.endsWith('/') && !uri.endsWith('/') ? null : uri.replace(/\/+$/, '') || '/'
}

/** `rewrite ^/api/(.*)$ /$1 break`: the usual way to take the path of a location off, or to replace it. */
function replacedBy(scope: Scope, path: string): string | undefined {
  const rewrites = scope.directives.filter(({ name }) => name === 'rewrite')
  if (rewrites.length !== 1 || path === '/') return undefined
  const [pattern = '', to = '', last] = rewrites[0]!.args
  const prefix = path.replace(/\/$/, '')
  const [, made] =
    (pattern === `^${prefix}/(.*)$`
      ? /^(\/|\/.*\/)\$1$/
      : pattern === `^${prefix}(/.*)$`
        ? /^(|\/.*[^/])\$1$/
        : undefined
    )?.exec(to) ?? []
  if (made === undefined || last !== 'break' || (made !== '' && !plainPath.test(made))) return undefined
  scope.own('rewrite')
  return made.replace(/\/+$/, '') || '/'
}

/** Reads `proxy_pass`; undefined, and reported, if it cannot be carried over. */
export function passingOf(
  { scope, path }: Location,
  serverLists: ReadonlyMap<string, ServerList>,
  report: Report,
): Passing | undefined {
  const directive = scope.own('proxy_pass').at(-1)
  if (directive === undefined) return undefined
  const leaveOut = (why: string) => {
    report.leaveOut(directive.place, textOf(directive), `${why}; ${path} is answered with 503`)
    return undefined
  }
  // The path as it came, which is what nginx sends without it, too.
  const target = (directive.args[0] ?? '').replace(/\$request_uri$/, '')
  if (target.includes('$')) return leaveOut('there are no variables')
  const [, scheme, authority, uri] =
    /^(https?):\/\/(unix:[^:]+)(?::(\/.*)?)?$/i.exec(target) ??
    /^(https?):\/\/(?!unix:)([^/]+)(\/.*)?$/i.exec(target) ??
    []
  if (scheme === undefined || authority === undefined)
    return leaveOut('backends are reached by http:// or https://, host and port, or a Unix socket')
  const rewritten = uri === undefined ? replacedBy(scope, path) : undefined
  const replacement = rewritten ?? replacementOf(path, uri)
  const [other] = scope.peek('rewrite')
  if (other !== undefined && scope.directives.includes(other) && rewritten === undefined)
    return leaveOut('`rewrite` changes paths')
  if (replacement === null)
    return leaveOut(`${path} cannot be replaced by ${uri}; \`rewrite.request\` in a module can do it`)
  if (uri?.endsWith('/') === true && !path.endsWith('/') && uri !== path)
    report.leaveOut(
      directive.place,
      textOf(directive),
      `nginx makes ${path}/x to ${uri}/x; here it becomes ${replacement === '/' ? '' : replacement}/x`,
    )
  const list = serverLists.get(authority) ?? bare(authority, scheme.toLowerCase(), directive)
  const isSame = replacement === '/' && path === '/'
  return { directive, scheme: scheme.toLowerCase(), authority, list, replacement: isSame ? undefined : replacement }
}

function bare(authority: string, scheme: string, { place }: Directive): ServerList {
  const hasPort = authority.startsWith('unix:') || /:\d+$/.test(authority)
  return singleServer(hasPort ? authority : `${authority}:${scheme === 'https' ? 443 : 80}`, place)
}
