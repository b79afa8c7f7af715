import type { Scenario } from '../scenarios.ts'

/** How hard, and how long. */
export interface LoadOptions {
  readonly connections: number
  readonly seconds: number
}

/** What a load generator has seen. */
export interface LoadReport {
  /** Answered requests. */
  readonly requests: number
  readonly seconds: number
  /** Latency in ms. */
  readonly p50: number
  readonly p99: number
  /** Answers that were no 2xx, connections that broke or were refused, requests that took too long. */
  readonly errors: number
}

/** Asks a port of the loopback for a scenario, on the load side's cores. */
export type Load = (port: number, scenario: Scenario, options: LoadOptions) => Promise<LoadReport>
