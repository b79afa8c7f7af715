import { createError } from '@fastify/error'

/** Options that cannot be used; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>('FST_BALANCER_MIRROR_BAD_OPTIONS', 'Bad mirror options: %s', 500)

/** A balancer that has no mirror. */
export const NoMirrorError = createError<[string]>('FST_BALANCER_MIRROR_NONE', "The balancer '%s' has no mirror", 500)
