import { connect, type Socket } from 'node:net'

/** Hears how a request ended: '' if well, else what was wrong. */
export type Done = (problem: string) => void

/** Why a request failed that got no answer in time. */
export const unanswered = 'unanswered'

/** As many connections to a port of the loopback as are needed at once; each has one request at a time. */
export class Connections {
  readonly #port: number
  /** ms until a client gives up. */
  readonly #patience: number
  readonly #idle: Connection[] = []
  readonly #all = new Set<Connection>()

  constructor(port: number, patience: number) {
    this.#port = port
    this.#patience = patience
  }

  ask(path: string, done: Done): void {
    let connection = this.#idle.pop()
    while (connection?.isClosed === true) connection = this.#idle.pop()
    connection ??= this.#open()
    const own = connection
    own.ask(path, this.#patience, (problem) => {
      if (problem === '') this.#idle.push(own)
      else this.#all.delete(own)
      done(problem)
    })
  }

  close(): void {
    for (const connection of this.#all) connection.close()
  }

  #open(): Connection {
    const connection = new Connection(this.#port)
    this.#all.add(connection)
    return connection
  }
}

/** A client of HTTP/1.1 that does nothing but what is needed here, so that it takes little of the CPU that it shares. */
class Connection {
  readonly #socket: Socket
  readonly #head: string
  #received = ''
  #done: Done | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(port: number) {
    this.#head = ` HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
      .setEncoding('latin1')
      .on('data', (text) => this.#read(text as unknown as string))
      .on('error', ({ message, code = message }: NodeJS.ErrnoException) => this.#fail(code))
      .on('close', () => this.#fail('closed'))
  }

  get isClosed(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded
  }

  ask(path: string, patience: number, done: Done): void {
    this.#done = done
    this.#timer = setTimeout(() => this.#fail(unanswered), patience)
    this.#socket.write(`GET ${path}${this.#head}`, 'latin1')
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(text: string): void {
    if (this.#done === undefined) return this.#fail('surplus bytes')
    this.#received += text
    const whole = lengthOf(this.#received)
    if (whole === undefined || this.#received.length < whole) return undefined
    if (this.#received.length > whole) return this.#fail('surplus bytes')
    const status = this.#received.slice(9, 12)
    this.#received = ''
    return status === '200' ? this.#end('') : this.#fail(`status ${status}`)
  }

  /** Whatever was wrong, this connection is not used again. */
  #fail(problem: string): void {
    this.#socket.destroy()
    this.#end(problem)
  }

  #end(problem: string): void {
    const done = this.#done
    this.#done = undefined
    clearTimeout(this.#timer)
    done?.(problem)
  }
}

/** Of a whole answer, as its head says; undefined while that is not there. An answer of unknown length never ends here. */
function lengthOf(received: string): number | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [, length = Infinity] = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, end)) ?? []
  return end + 4 + Number(length)
}
