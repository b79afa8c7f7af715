import { candidates, keepFromCaches, textOf, type Carrier } from './carrier.ts'
import { cookieValues, isCookie, withoutCookie } from './cookie-text.ts'
import { defaultCookie, type ParsedSticky } from './settings.ts'

/** What stands behind the value (RFC 6265 §4.1). */
function attributesOf({ path, domain, maxAge, sameSite }: ParsedSticky): string {
  return [
    `; Path=${path}`,
    ...(domain === undefined ? [] : [`; Domain=${domain}`]),
    // In whole seconds; 0 would remove it.
    ...(maxAge === 0 ? [] : [`; Max-Age=${Math.max(1, Math.round(maxAge / 1000))}`]),
    '; HttpOnly',
    `; SameSite=${sameSite[0]!.toUpperCase()}${sameSite.slice(1)}`,
  ].join('')
}

/** Tokens in a cookie. */
export function cookieCarrier(settings: ParsedSticky): Carrier {
  const { cookie: name = defaultCookie, secure } = settings
  const attributes = attributesOf(settings)
  const tokensIn: Carrier['tokensIn'] = ({ cookie }) => candidates(cookieValues(textOf(cookie, '; '), name))
  return {
    tokensIn,
    hide(attempt) {
      const sent = attempt.getHeader('cookie')
      if (sent === undefined || cookieValues(sent, name).length === 0) return
      attempt.setHeader('cookie', withoutCookie(sent, name))
    },
    bind(attempt, token) {
      const { headers, exchange } = attempt
      const theirs = [headers['set-cookie'] ?? []].flat().map(String)
      // A backend's own of this name would replace ours in the client.
      const others = theirs.filter((one) => !isCookie(one, name))
      if (others.length < theirs.length) headers['set-cookie'] = others
      if (tokensIn(exchange.headers)[0] === token) return
      const isSecure = secure === 'auto' ? exchange.request.protocol === 'https' : secure
      headers['set-cookie'] = [...others, `${name}=${token}${attributes}${isSecure ? '; Secure' : ''}`]
      keepFromCaches(attempt)
    },
  }
}
