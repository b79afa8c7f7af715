// All backends of a scenario: a process with a port for each. `GET /1500` is one and a half times as much work as the mean.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { now } from '../../monotonic.ts'
import { payload } from '../../scenarios.ts'
import { AlarmClock } from '../alarm-clock.ts'
import { Answers } from './answers.ts'
import { Service, type ServiceSettings } from './service.ts'

const settings = JSON.parse(process.argv[2]!) as readonly ServiceSettings[]

const body = payload(100)
let begun = now()
let services = settings.map((each) => new Service(each))
let counts = settings.map(() => 0)
let answers = new Answers<ServerResponse>()

/** Sends all answers that are due, and waits for the next. */
function answerDue(): void {
  for (const response of answers.dueAt(now())) response.writeHead(200, { 'content-length': body.length }).end(body)
  if (answers.next < Infinity) clock.set(answers.next)
}
const clock = await AlarmClock.start(answerDue)

function serve(index: number, size: number, response: ServerResponse): void {
  counts[index]!++
  const due = begun + services[index]!.finish(now() - begun, size)
  const isNext = due < answers.next
  answers.add(due, response)
  if (isNext) clock.set(due)
}

/** Begins anew: nothing waits, and the time is 0. */
function begin(): void {
  for (const response of answers.dueAt(Infinity)) response.destroy()
  answers = new Answers()
  services = settings.map((each) => new Service(each))
  counts = settings.map(() => 0)
  begun = now()
}

const servers = settings.map((_, index) => {
  const server = createServer((request, response) => serve(index, Number(request.url!.slice(1)) / 1000, response))
  // No connection is to end by itself: that would be a fault that nobody ordered.
  server.keepAliveTimeout = 3_600_000
  return server.listen(0, '127.0.0.1', 4096)
})
await Promise.all(servers.map((server) => once(server, 'listening')))

process.on('message', (wanted: 'begin' | 'counts') => {
  if (wanted === 'begin') begin()
  process.send!(counts)
})
process.once('disconnect', () => process.exit())
process.send!(servers.map((server) => (server.address() as AddressInfo).port))
