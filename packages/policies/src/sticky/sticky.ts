// Room `sticky`: clients that stay with one backend, and the token by which they are known.
import type { Attempt, Balancer, NamedPolicy, Policy } from '@fastify-balancer/balancer-core'
import { cookieCarrier } from './cookie-carrier.ts'
import { headerCarrier } from './header-carrier.ts'
import { stickyPicker } from './sticky-picker.ts'
import { stickyFaults, stickySettings as settings, type ParsedSticky } from './settings.ts'
import { Tokens } from './tokens.ts'

/**
 * A client that has a token of a backend goes there as long as that may be used; all others go where the policy within
 * sends them, and are bound to the backend whose response they get. (HAProxy's `cookie … insert indirect nocache`.)
 */
export const sticky: NamedPolicy<ParsedSticky> = {
  description: 'Clients stay with the backend that answered first, by a cookie or a header; new ones by another policy',
  settings,
  // A policy around it would send its clients elsewhere.
  isOutermost: true,
  faults: stickyFaults,
  make(given, parts): Policy {
    const { header, secret, whenGone } = given
    const inner = parts.inner() as Policy
    const carrier = header === undefined ? cookieCarrier(given) : headerCarrier(header)
    let tokens = new Tokens(secret, '')
    const hide = (attempt: Attempt) => carrier.hide(attempt)
    const bind = (attempt: Attempt) => carrier.bind(attempt, tokens.of(attempt.backend)[0]!)
    return {
      name: 'sticky',
      over(available, draining = [], spare = []) {
        const picker = inner.over(available, draining, spare)
        return stickyPicker({
          name: inner.name,
          picker,
          known: tokens.among([...available, ...draining, ...spare]),
          tokensIn: ({ headers }) => carrier.tokensIn(headers),
          isGenuine: (token) => tokens.isGenuine(token),
          mayMove: whenGone === 'redistribute',
        })
      },
      attach(balancer: Balancer) {
        tokens = new Tokens(secret, balancer.name)
        const detachInner = inner.attach?.(balancer)
        balancer.addHook('onAttemptStart', hide).addHook('onResponse', bind)
        return () => {
          balancer.removeHook('onAttemptStart', hide).removeHook('onResponse', bind)
          detachInner?.()
        }
      },
    }
  },
}
