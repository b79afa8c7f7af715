import type { Report } from '../result/report.ts'
import { textOf, type Directive } from './syntax/directive.ts'
import type { Scope } from './scope.ts'

/** A location that our file can name: a path and what is below it. */
export interface Location {
  readonly directive: Directive
  readonly scope: Scope
  /** As nginx has it, with a slash at its end or without. */
  readonly path: string
}

const routable = /^\/[\w\-.~/%!$&'+,;=@]*$/

function prefixOf(directive: Directive, report: Report): string | undefined {
  const { args, place } = directive
  const [modifier, path] = args.length > 1 ? [args[0], args[1]!] : [undefined, args[0]!]
  const text = textOf(directive)
  if (path.startsWith('@')) {
    report.leaveOut(place, text, 'there are no named locations')
    return undefined
  }
  if (modifier === '~' || modifier === '~*') {
    report.leaveOut(place, text, 'locations are prefixes here; what matches this one goes where its prefix says')
    return undefined
  }
  if (!routable.test(path)) {
    report.leaveOut(place, text, 'this path cannot be a prefix here')
    return undefined
  }
  if (modifier === '=' && path === '/') {
    report.leaveOut(place, text, 'a path alone cannot be told from what is below it')
    return undefined
  }
  if (modifier === '=') report.differs(place, text, 'what is below this path is treated like it')
  else if (path !== '/' && !path.endsWith('/'))
    report.differs(place, text, `in nginx it is also for ${path}… without a slash between; here it is not`)
  return path
}

/** All prefix locations of a server, nested ones too. */
export function locationsOf(scope: Scope, report: Report): readonly Location[] {
  return scope.own('location').flatMap((directive) => {
    const inner = scope.within(directive)
    const path = prefixOf(directive, report)
    if (path === undefined) {
      scope.skip(directive)
      return []
    }
    return [{ directive, scope: inner, path }].concat(locationsOf(inner, report))
  })
}

const guards: Readonly<Record<string, string>> = {
  allow: 'addresses cannot be allowed or denied',
  deny: 'addresses cannot be allowed or denied',
  auth_basic: 'clients are not asked for a password',
  auth_request: 'there are no subrequests',
  auth_jwt: 'tokens are not checked',
  // Of modules that are not nginx's own.
  auth_digest: 'clients are not asked for a password',
  auth_gss: 'clients are not asked for a password',
  auth_ldap: 'clients are not asked for a password',
  auth_pam: 'clients are not asked for a password',
  auth_oidc: 'clients are not asked to sign in',
  access_by_lua: 'there are no scripts',
  access_by_lua_block: 'there are no scripts',
  access_by_lua_file: 'there are no scripts',
  js_access: 'there are no scripts',
  modsecurity: 'requests are not filtered',
  ssl_verify_client: 'certificates of clients are not checked',
  secure_link: 'links are not checked',
  internal: 'there are no internal requests',
  valid_referers: 'referers are not checked',
  limit_except: 'methods are not restricted',
  if: 'there are no conditions',
  return: 'the balancer sends no responses of its own; only backends answer',
}

const harmless: Readonly<Record<string, string>> = {
  auth_basic: 'off',
  auth_digest: 'off',
  auth_gss: 'off',
  auth_ldap: 'off',
  auth_pam: 'off',
  modsecurity: 'off',
  ssl_verify_client: 'off',
  allow: 'all',
}

/** A condition keeps requests from backends if it refuses them; others only change where they go. */
function refuses({ name, args, block = [] }: Directive): boolean {
  if (name === 'if') return block.some((one) => one.name === 'deny' || (one.name === 'return' && refuses(one)))
  return name !== 'return' || !/^3\d\d$|^http/.test(args[0] ?? '')
}

/**
 * What keeps a location from being carried over: without it, backends would get requests that nginx keeps from them.
 * Each is reported. Undefined if there is nothing.
 */
export function guardOf({ scope }: Location, report: Report): string | undefined {
  let first: string | undefined
  for (const [name, why] of Object.entries(guards)) {
    for (const directive of scope.peek(name)) {
      if (harmless[name] === directive.args.join(' ')) continue
      scope.skip(directive)
      const isGuard = name === 'return' || refuses(directive)
      const then = isGuard
        ? 'the paths that it protects get 503'
        : 'it has no effect: these requests are forwarded like the others'
      report.leaveOut(directive.place, textOf(directive), `${why}; ${then}`)
      if (isGuard) first ??= `${textOf(directive)} (line ${directive.place.line})`
    }
  }
  return first
}
