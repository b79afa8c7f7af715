import { createError } from '@fastify/error'

/** Options that cannot be used; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>('FST_BALANCER_FLEET_BAD_OPTIONS', 'Bad fleet options: %s', 500)

/** The store cannot be reached: the other instances would not know of a change. */
export const NoStoreError = createError<[string]>(
  'FST_BALANCER_FLEET_NO_STORE',
  'The store that the instances share cannot be reached, and so nothing was changed: %s',
  503,
)
