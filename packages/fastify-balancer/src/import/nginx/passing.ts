import type { Report } from '../result/report.ts'
import { textOf, type Directive } from './syntax/directive.ts'
import type { Scope } from './scope.ts'
import type { Location } from './locations.ts'
import { singleServer, type ServerList } from './server-list.ts'

/** Where a location passes its requests to. */
export interface Passing {
  readonly directive: Directive
  readonly scheme: string
  /** As it is written: the name of an upstream, or host and port. */
  readonly authority: string
  readonly list: ServerList
  /** Is the path of the location taken off? */
  readonly stripsPrefix: boolean
}

/** What nginx does to paths, where our file can say it: nothing, or take the location's path off. */
function stripsPrefixOf(path: string, uri: string | undefined): boolean | undefined {
  if (uri === undefined || uri === path) return false
  return uri === '/' ? true : undefined
}

/** `rewrite ^/api/(.*)$ /$1 break`: the usual way to take the path of a location off. */
function takesPrefixOff(scope: Scope, path: string): boolean {
  const rewrites = scope.directives.filter(({ name }) => name === 'rewrite')
  if (rewrites.length !== 1 || path === '/') return false
  const [pattern = '', replacement, last] = rewrites[0]!.args
  const prefix = path.replace(/\/$/, '')
  const isUsual =
    (pattern === `^${prefix}/(.*)$` && replacement === '/$1') ||
    (pattern === `^${prefix}(/.*)$` && replacement === '$1')
  if (isUsual && last === 'break') scope.own('rewrite')
  return isUsual && last === 'break'
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
  const [, scheme, authority, uri] = /^(https?):\/\/([^/]+)(\/.*)?$/i.exec(target) ?? []
  if (scheme === undefined || authority === undefined || authority.startsWith('unix:'))
    return leaveOut('backends are reached by http:// or https://, host and port')
  const stripsPrefix = takesPrefixOff(scope, path) && uri === undefined ? true : stripsPrefixOf(path, uri)
  const [other] = scope.peek('rewrite')
  if (other !== undefined && scope.directives.includes(other) && !takesPrefixOff(scope, path))
    return leaveOut('`rewrite` changes paths')
  if (stripsPrefix === undefined)
    return leaveOut(`${path} cannot be replaced by ${uri}; \`rewrite.request\` in a module can do it`)
  if (stripsPrefix && uri === '/' && !path.endsWith('/'))
    report.leaveOut(directive.place, textOf(directive), `nginx makes ${path}/x to //x; here it becomes /x`)
  const list = serverLists.get(authority) ?? bare(authority, scheme.toLowerCase(), directive)
  return { directive, scheme: scheme.toLowerCase(), authority, list, stripsPrefix: stripsPrefix && path !== '/' }
}

function bare(authority: string, scheme: string, { place }: Directive): ServerList {
  const hasPort = /:\d+$/.test(authority)
  return singleServer(hasPort ? authority : `${authority}:${scheme === 'https' ? 443 : 80}`, place)
}
