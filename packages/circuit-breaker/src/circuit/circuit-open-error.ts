import { createError } from '@fastify/error'

/** A call that the circuit did not admit: the state of the circuit, and its reason. */
export const CircuitOpenError = createError<[string, string]>('FST_BALANCER_CIRCUIT_OPEN', 'The circuit is %s: %s', 503)
