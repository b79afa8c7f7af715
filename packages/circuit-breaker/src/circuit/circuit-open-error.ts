import { createError } from '@fastify/error'

/** A circuit that is not closed did not admit a call: its state, and why it is in it. */
export const CircuitOpenError = createError<[string, string]>('FST_BALANCER_CIRCUIT_OPEN', 'The circuit is %s: %s', 503)
