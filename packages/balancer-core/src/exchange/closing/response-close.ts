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
  ;(raw as Traced)[closing] = exchange
  raw.on('close', onClose)
  if (raw.req.httpVersionMajor !== 2) return
  // The client may abort its stream. Node then ends the request as if it were whole, and the response as if it were flushed:
  // this comes before both.
  raw.req.on('aborted', () => exchange.onClose())
  stopUploadAfter(raw)
}

/** The exchange that writes this response; undefined if the request is not forwarded. */
export function exchangeOf(raw: ServerResponse): ExchangeView | undefined {
  return (raw as Traced)[closing]
}
