// A backend that is restarted as gunicorn or nginx restart their workers: the new one takes over the listening socket, so
// that no connection is ever refused, and the old one ends once it has answered what it has read. A connection that it
// keeps is closed then, whatever is on the way to it. Told `restart`, it restarts and answers; it tells of each request.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Server as NetServer, type AddressInfo, type Socket } from 'node:net'

/** What it tells of a request: a line of its method and URL. */
export type Delivery = string

function serve(): void {
  const served = new Map<Socket, 'idle' | 'busy'>()
  let ending = false
  const server = createServer((request, response) => {
    const { socket } = request
    served.set(socket, 'busy')
    process.send!(`${request.method} ${request.url}`)
    let length = 0
    request.on('data', (chunk: Buffer) => (length += chunk.length))
    request.on('end', () => {
      if (ending) response.setHeader('connection', 'close')
      response.end(`${length}`)
    })
    response.on('close', () => {
      served.set(socket, 'idle')
      // It may close a kept connection at any time, also when a request is on its way.
      setTimeout(() => drop(socket), 1)
    })
    socket.once('close', () => served.delete(socket))
  })
  const drop = (socket: Socket) => {
    if (served.get(socket) === 'idle') socket.destroy()
  }
  server.listen(0, '127.0.0.1')
  process.on('SIGTERM', () => {
    ending = true
    // What it has accepted it answers; an HTTP server of Node would close that, too, before it is asked anything.
    NetServer.prototype.close.call(server, () => process.exit())
    for (const socket of served.keys()) drop(socket)
  })
}

async function start(): Promise<{ worker: Worker; port: number }> {
  const worker = cluster.fork()
  worker.on('message', (delivery: Delivery) => process.send!(delivery))
  const [{ port }] = (await once(worker, 'listening')) as [AddressInfo]
  return { worker, port }
}

async function supervise(): Promise<void> {
  const { worker: first, port } = await start()
  let worker = first
  process.on('message', async () => {
    const old = worker
    worker = (await start()).worker
    old.process.kill('SIGTERM')
    await once(old, 'exit')
    process.send!('restarted')
  })
  process.on('disconnect', () => {
    worker.process.kill('SIGKILL')
    process.exit()
  })
  process.send!(port)
}

cluster.schedulingPolicy = cluster.SCHED_NONE
if (cluster.isPrimary) await supervise()
else serve()
