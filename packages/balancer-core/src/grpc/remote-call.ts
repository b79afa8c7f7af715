// Room `grpc`: what gRPC, gRPC-Web and Connect add to HTTP: deadlines, statuses, and failures in their own form.
import type { IncomingMessage } from 'node:http'
import type { IncomingFields } from '../headers/fields.ts'
import { parseMilliseconds, parseTimeout, timeoutField } from './deadline.ts'
import { statusOf, type StatusName } from './status-code.ts'

/** How a call is written: `connect` is unary, `connect-stream` is in frames. */
export type CallForm = 'grpc' | 'grpc-web' | 'grpc-web-text' | 'connect' | 'connect-stream'

const framed = /^application\/(grpc-web-text|grpc-web|grpc|connect)(?:\+[\w.-]+)?\s*(?:;|$)/i
const unary = /^application\/(?:proto|json)\s*(?:;|$)/i

function formOf(type: string, headers: IncomingMessage['headers']): CallForm | undefined {
  const form = framed.exec(type)?.[1]?.toLowerCase()
  if (form !== undefined) return form === 'connect' ? 'connect-stream' : (form as CallForm)
  // Any request may carry JSON: a unary call of Connect says so.
  return headers['connect-protocol-version'] !== undefined && unary.test(type) ? 'connect' : undefined
}

function one(field: string | string[] | undefined): string | undefined {
  return typeof field === 'string' ? field : undefined
}

/** A remote procedure call: a request of gRPC, gRPC-Web or Connect. */
export class RemoteCall {
  readonly form: CallForm
  /** Of its messages, and of ours in response. */
  readonly contentType: string
  /** How long the client waits for all of it, in ms; undefined if it does not say. */
  readonly deadline: number | undefined

  constructor(form: CallForm, type: string, headers: IncomingMessage['headers']) {
    this.form = form
    this.contentType = type.replace(/\s*;.*/s, '')
    this.deadline = this.isConnect
      ? parseMilliseconds(one(headers['connect-timeout-ms']))
      : parseTimeout(one(headers['grpc-timeout']))
  }

  get isConnect(): boolean {
    return this.form === 'connect' || this.form === 'connect-stream'
  }

  /** Both sides may be quiet for long. */
  get mayStream(): boolean {
    return this.form !== 'connect'
  }

  /** The status in these headers or trailers. In gRPC-Web and Connect, it is mostly in the body: then it is not seen. */
  statusIn({ 'grpc-status': field }: IncomingFields): StatusName | undefined {
    if (field === undefined || this.isConnect) return undefined
    return statusOf(String(field))
  }

  /** The status at the end of a response: of gRPC, one without any is `UNKNOWN`, as clients read it. */
  statusAtEnd(trailers: IncomingFields): StatusName | undefined {
    return this.statusIn(trailers) ?? (this.form === 'grpc' ? 'UNKNOWN' : undefined)
  }

  /** The header that tells a backend how much time is left, in ms. */
  timeLeft(left: number): readonly [name: string, value: string] {
    return this.isConnect
      ? ['connect-timeout-ms', String(Math.max(Math.floor(left), 1))]
      : ['grpc-timeout', timeoutField(left)]
  }
}

/** The call that a request is; undefined for any other request. */
export function callOf({ method, headers }: IncomingMessage): RemoteCall | undefined {
  // Calls are POST. (Connect's GET for calls without side effects is ordinary HTTP: any cache must understand it.)
  if (method !== 'POST') return undefined
  const type = headers['content-type']
  const form = type === undefined ? undefined : formOf(type, headers)
  return form === undefined ? undefined : new RemoteCall(form, type!, headers)
}
