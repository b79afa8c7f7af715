import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { crc32 } from 'node:zlib'
import { listen } from './backend.ts'

const endOfHead = Buffer.from('\r\n\r\n')

/** What has gone one way behind the head of HTTP. */
class Passage {
  bytes = 0
  #sum = 0
  #head: Buffer | undefined = Buffer.alloc(0)

  take(chunk: Buffer): void {
    let behind = chunk
    if (this.#head !== undefined) {
      const head = Buffer.concat([this.#head, chunk])
      const end = head.indexOf(endOfHead)
      this.#head = end === -1 ? head : undefined
      if (end === -1) return
      behind = head.subarray(end + endOfHead.length)
    }
    this.bytes += behind.length
    this.#sum = crc32(behind, this.#sum)
  }

  toString(): string {
    return `${this.bytes} bytes, ${this.#sum.toString(16)}`
  }
}

/** One connection through a tap. */
interface Tapped {
  readonly there: Passage
  readonly back: Passage
}

/** A relay that passes everything on, and notes what it was. */
export interface Tap {
  readonly url: string
  readonly connections: readonly Tapped[]
}

function relay(from: Socket, to: Socket, passage: Passage): void {
  from.on('data', (chunk: Buffer) => passage.take(chunk))
  from.on('error', () => to.destroy())
  from.pipe(to)
}

/** Starts one in front of a server. */
export async function startTap(t: TestContext, url: string): Promise<Tap> {
  const connections: Tapped[] = []
  const sockets = new Set<Socket>()
  const { hostname, port } = new URL(url)
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const target = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true })
    const tapped = { there: new Passage(), back: new Passage() }
    connections.push(tapped)
    for (const socket of [client, target]) sockets.add(socket)
    relay(client, target, tapped.there)
    relay(target, client, tapped.back)
  })
  const own = await listen(server)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => void server.close(resolve))
  })
  return { url: own, connections }
}
