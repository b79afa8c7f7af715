import { channel } from 'node:diagnostics_channel'
import type { Attempt, ExchangeView } from './attempt/attempt.ts'
import type { BackendSet } from './backends/backend-set.ts'
import type { QueueRefusals } from './picking/queue/refusals.ts'

/**
 * Diagnostics channels, for observers such as tracing. Each name begins with `balancer-core:`; a channel without
 * subscribers costs one comparison.
 */
export const channels = {
  /** An exchange has begun: `{ exchange }`. */
  exchangeStart: channel<unknown, { exchange: ExchangeView }>('balancer-core:exchange:start'),
  /** It was upgraded, and its tunnel is open; its outcome is `ok` from now on: `{ exchange }`. */
  tunnelStart: channel<unknown, { exchange: ExchangeView }>('balancer-core:tunnel:start'),
  /** It has ended, with its outcome; one that was upgraded, when its tunnel has closed: `{ exchange }`. */
  exchangeEnd: channel<unknown, { exchange: ExchangeView }>('balancer-core:exchange:end'),
  /** An attempt goes to its backend: `{ attempt }`. */
  attemptStart: channel<unknown, { attempt: Attempt }>('balancer-core:attempt:start'),
  /** Its response headers have arrived: `{ attempt }`. */
  attemptResponse: channel<unknown, { attempt: Attempt }>('balancer-core:attempt:response'),
  /** It has ended, with its outcome: `{ attempt }`. */
  attemptEnd: channel<unknown, { attempt: Attempt }>('balancer-core:attempt:end'),
  /** The set was replaced: `{ balancer, now, before, cause }`. `cause` is that of `ChangeOptions`. */
  backendsChange: channel<
    unknown,
    { balancer: { readonly name: string }; now: BackendSet; before: BackendSet; cause: unknown }
  >('balancer-core:backends:change'),
  /** A queue has begun or ceased to refuse requests: `{ balancer, refusals }`. */
  queueChange: channel<unknown, { balancer: { readonly name: string }; refusals: QueueRefusals }>(
    'balancer-core:queue:change',
  ),
}
