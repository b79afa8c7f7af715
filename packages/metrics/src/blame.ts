import type { Blame, FailureReason } from '@fastify-balancer/balancer-core'

/**
 * Whose fault each failure is. The core has this table, and extensions load only its types: the compiler sees that no
 * reason is missing here, and a test that both say the same.
 */
export const blames: Readonly<Record<FailureReason, Blame>> = {
  'bad-request': 'client',
  'rewrite-failed': 'proxy',
  'no-backend': 'proxy',
  'queue-full': 'proxy',
  'queue-timeout': 'proxy',
  'dns-failed': 'backend',
  'connect-refused': 'backend',
  'connect-failed': 'backend',
  'connect-timeout': 'backend',
  'tls-failed': 'backend',
  'continue-timeout': 'proxy',
  'request-refused': 'proxy',
  'upload-timeout': 'backend',
  'stale-connection': 'proxy',
  'reset-before-headers': 'backend',
  'bad-response': 'backend',
  'headers-timeout': 'backend',
  'body-timeout': 'backend',
  'body-truncated': 'backend',
  'request-timeout': 'proxy',
  'drain-deadline': 'proxy',
  'client-gone': 'client',
  'client-stalled': 'client',
}
