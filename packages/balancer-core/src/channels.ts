import { channel, type Channel } from 'node:diagnostics_channel'
import type { Attempt, ExchangeView } from './attempt.ts'
import type { BackendSet } from './backend-set.ts'

/**
 * For those who look on from outside, as tracing does. Each name begins with `balancer-core:`; a channel that nobody
 * subscribes to costs one comparison.
 */
export const channels = {
  /** An exchange has begun: `{ exchange }`. */
  exchangeStart: channel('balancer-core:exchange:start') as Channel<unknown, { exchange: ExchangeView }>,
  /** It has ended, with its outcome: `{ exchange }`. */
  exchangeEnd: channel('balancer-core:exchange:end') as Channel<unknown, { exchange: ExchangeView }>,
  /** An attempt goes to its backend: `{ attempt }`; its headers may still be added to. */
  attemptStart: channel('balancer-core:attempt:start') as Channel<unknown, { attempt: Attempt }>,
  /** Its response headers have arrived: `{ attempt }`. */
  attemptResponse: channel('balancer-core:attempt:response') as Channel<unknown, { attempt: Attempt }>,
  /** It has ended, with its outcome: `{ attempt }`. */
  attemptEnd: channel('balancer-core:attempt:end') as Channel<unknown, { attempt: Attempt }>,
  /** The set was replaced: `{ balancer, now, before }`. */
  backendsChange: channel('balancer-core:backends:change') as Channel<
    unknown,
    { balancer: { readonly name: string }; now: BackendSet; before: BackendSet }
  >,
}
