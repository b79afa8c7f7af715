// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { BackendCircuitOptions } from './backend/circuit-settings.ts'

/** The circuits of the backends of a balancer: everything optional. */
export interface CircuitBreakerSettings extends BackendCircuitOptions {
  /**
   * Settings of individual backends, by id; `false` = no circuit
   * @default {}
   */
  backends?: Readonly<Record<string, BackendCircuitOptions | boolean>>
}

/** What `register` takes: everything optional, nested objects in part. */
export interface CircuitBreakerOptions extends CircuitBreakerSettings {
  /** Name of the balancer. Default: the one called `default`, or the only one */
  balancer?: string
}
