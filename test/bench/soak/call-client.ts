import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import { message, wantedStatus } from './call.ts'
import { Channel } from './channel.ts'
import type { CallEnding, CallPart } from './parts.ts'

/** Of one side of a stream that is played to its end. */
const messages = 3
/** As `grpc-timeout`. */
const timeout = '20m'
const statuses = 17

const byStatus: Readonly<Record<string, CallEnding>> = {
  0: 'OK',
  1: 'CANCELLED',
  4: 'DEADLINE_EXCEEDED',
  14: 'UNAVAILABLE',
}

/** Plays the part of a call to its end. */
export async function playCall(part: CallPart, shared: Channel, random: () => number): Promise<CallEnding> {
  const wanted = part === 'call-refused' ? String(1 + Math.floor(random() * (statuses - 1))) : undefined
  const isLate = part.endsWith('late')
  const leaves = part === 'call-stream-left'
  const channel = leaves ? new Channel(shared.port) : shared
  const call = channel.call(part, {
    ...(wanted !== undefined && { [wantedStatus]: wanted }),
    ...(isLate && { 'grpc-timeout': timeout }),
  })

  let isLeft = false
  const leaveSoon = (within: number) =>
    setTimeout(() => {
      isLeft = true
      if (leaves) channel.close()
      else call.close(constants.NGHTTP2_CANCEL)
    }, random() * within)
  if (part === 'call-cancelled') leaveSoon(20)
  if (leaves || part === 'call-stream-cancelled') call.once('data', () => leaveSoon(10))

  const ending = endOf(call, wanted, part === 'call-unary' ? 1 : messages)
  if (part.startsWith('call-stream')) converse(call, part)
  else call.end(message)
  const seen = await ending
  if (leaves) channel.close()
  return isLeft ? 'CANCELLED' : seen
}

/** Sends a message, and the next one when it has come back; only what is to be played to its end, ends. */
function converse(call: ClientHttp2Stream, part: CallPart): void {
  let bytes = 0
  let sent = 1
  call.write(message)
  call.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes < sent * message.length || part !== 'call-stream') return
    if (sent++ < messages) call.write(message)
    else call.end()
  })
}

/** How a call ends. Broken: without a status, or with success but without all that was to come. */
function endOf(call: ClientHttp2Stream, wanted: string | undefined, expected: number): Promise<CallEnding> {
  return new Promise((resolve) => {
    let status: string | undefined
    let hasBegun = false
    let bytes = 0
    const read = (fields: IncomingHttpHeaders) => {
      hasBegun = true
      status ??= fields['grpc-status'] as string | undefined
    }
    call.on('response', read)
    call.on('trailers', read)
    call.on('data', (chunk: Buffer) => (bytes += chunk.length))
    call.on('error', () => {})
    call.once('close', () => {
      if (status === undefined)
        return resolve(hasBegun && call.rstCode === constants.NGHTTP2_INTERNAL_ERROR ? 'reset' : 'broken')
      if (status === wanted) return resolve('ASKED FOR')
      if (status === '0' && bytes !== expected * message.length) return resolve('broken')
      resolve(byStatus[status] ?? `status ${status}`)
    })
  })
}
