import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Clock } from '../clock.ts'
import type { FailureReason, Outcome } from '../failure.ts'
import type { RemoteCall } from '../grpc/remote-call.ts'
import type { IncomingFields } from '../headers/fields.ts'
import type { ViewOfExchange } from './exchange-view.ts'
import type { TimeLimitSweep } from './time-limit-sweep.ts'

/** Owner of an attempt: the exchange, which is told what happens and decides what follows. */
export interface OwnerOf<Attempt> extends ViewOfExchange<Attempt> {
  readonly clock: Clock
  readonly counts: CounterOf<Attempt>
  /** Undefined for all but gRPC, gRPC-Web and Connect. */
  readonly call: RemoteCall | undefined
  /** The failure on the client's side, if that made the attempt fail. */
  readonly ownFailure: FailureReason | undefined
  onSending(): void
  /** Which time limit applies now, in ms (0 = none), and the failure when it is exceeded. */
  limitOf(attempt: Attempt): { readonly limit: number; readonly reason: FailureReason }
  onInformation(attempt: Attempt, status: number, headers: IncomingFields): void
  onResponse(attempt: Attempt, controller: Dispatcher.DispatchController, headers: IncomingFields): void
  onData(chunk: Buffer): void
  onBorrowed(chunk: Buffer): boolean
  onComplete(trailers: IncomingFields): void
  /** Why a 101 with these headers is not acceptable. */
  upgradeFault(headers: IncomingFields): FailureReason | undefined
  onUpgrade(attempt: Attempt, stream: Duplex, head: Buffer): void
  onFailure(attempt: Attempt, reason: FailureReason, error: unknown): void
}

/** Counts attempts and calls the balancer's hooks. Each start is followed by exactly one end. */
export interface CounterOf<Attempt> {
  readonly sweep: TimeLimitSweep
  attemptStarted(attempt: Attempt): void
  attemptResponded(attempt: Attempt): void
  attemptEnded(attempt: Attempt, outcome: Outcome): void
}
