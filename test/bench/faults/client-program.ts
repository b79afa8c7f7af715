// The clients: so many requests a second, evenly, whether or not the earlier ones have been answered (an open loop), as
// independent clients send them. A loop that waits for answers would send less to a backend that is in trouble.
import { Agent, request as httpRequest } from 'node:http'
import type { Sent } from './client.ts'
import { now } from '../monotonic.ts'

const [port = 0, rate = 0] = process.argv.slice(2).map(Number)

/** ms until a client gives up. */
const patience = 10_000

const agent = new Agent({ keepAlive: true, maxFreeSockets: 4096 })
const records: Sent[] = []
let begunAt = 0
let open = 0
let ending = false

/** Sends all that is due by now. Time counts from when a request was due: what delays us delays the client as well. */
function sendDue(): void {
  if (ending) return
  let due = begunAt + (records.length * 1000) / rate
  for (; due <= now(); due = begunAt + (records.length * 1000) / rate) send(due)
  setTimeout(sendDue, due - now())
}

function send(at: number): void {
  const record: Sent = { at, took: 0, status: 0, backend: '', problem: '' }
  records.push(record)
  open++

  const finish = (problem: string) => {
    if (record.took > 0) return
    clearTimeout(timer)
    Object.assign(record, { took: now() - at, problem })
    open--
    reportAtEnd()
  }
  const fail = (error: NodeJS.ErrnoException) => finish(error.code ?? error.message)

  const request = httpRequest({ host: '127.0.0.1', port, agent, path: '/work' })
  const timer = setTimeout(() => request.destroy(new Error('no answer in time')), patience)
  request.once('error', fail)
  request.once('response', (response) => {
    const { statusCode: status = 0, headers } = response
    response.once('error', fail)
    response.once('end', () => {
      Object.assign(record, { status, backend: headers['x-backend'] ?? '' })
      finish(status === 200 ? '' : `status ${status}`)
    })
    response.resume()
  })
  request.end()
}

function reportAtEnd(): void {
  if (ending && open === 0) process.send!(records)
}

process.on('message', (wanted: 'begin' | 'end') => {
  if (wanted === 'begin') {
    begunAt = now()
    process.send!(begunAt)
    sendDue()
  } else {
    ending = true
    reportAtEnd()
  }
})
process.once('disconnect', () => process.exit())
process.send!('ready')
