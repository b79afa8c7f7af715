// Room `exchange/closing`: how the client's side of an exchange comes to its end.
import type { ServerResponse } from 'node:http'
import { stopUploadAfter } from './upload-stop.ts'
import type { ExchangeView } from '../../attempt/attempt.ts'

interface Closing extends ExchangeView {
  onClose(): void
}

const closing = Symbol('fastify-balancer.exchange')
type Traced = ServerResponse & { [closing]?: Closing }

function onClose(this: ServerResponse): void {
  ;(this as Traced)[closing]!.onClose()
}

/** Tells an exchange, without a closure for it, that its response was flushed or its client has gone. */
export function tellOfClose(raw: ServerResponse, exchange: Closing): void {
  const before = exchangeOf(raw) as Closing | undefined
  ;(raw as Traced)[closing] = exchange
  if (before === undefined) raw.on('close', onClose)
  // It had failed, and code of the app forwards the request once more.
  else raw.on('close', () => before.onClose())
  if (raw.req.httpVersionMajor !== 2) return
  // The client may abort its stream. Node then ends the request as if it were whole, and the response as if it were flushed:
  // this comes before both.
  raw.req.on('aborted', () => exchange.onClose())
  stopUploadAfter(raw)
}

/** The exchange that writes this response, the latest of several; undefined if the request is not forwarded. */
export function exchangeOf(raw: ServerResponse): ExchangeView | undefined {
  return (raw as Traced)[closing]
}
