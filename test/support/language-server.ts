import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

interface Message {
  readonly id?: number | string
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** TypeScript as an editor talks to it: the Language Server Protocol, over standard input and output. */
export class LanguageServer {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #waiting = new Map<number | string, Waiting>()
  #received: Buffer = Buffer.alloc(0)
  #lastId = 0

  private constructor(root: string) {
    this.#child = spawn(join(root, 'node_modules', '.bin', 'tsc'), ['--lsp', '--stdio'], { cwd: root })
    this.#child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#child.stderr.resume()
    this.#child.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`tsc --lsp has ended with ${code}`))
    })
  }

  /** Starts it in a folder that has TypeScript. */
  static async start(root: string): Promise<LanguageServer> {
    const server = new LanguageServer(root)
    const rootUri = pathToFileURL(root).href
    const hover = { contentFormat: ['markdown'] }
    const capabilities = { textDocument: { hover }, general: { positionEncodings: ['utf-16'] } }
    await server.ask('initialize', { processId: process.pid, rootUri, capabilities })
    server.tell('initialized', {})
    return server
  }

  /** Shows it a file as an editor that has opened it, with this text. */
  open(path: string, text: string): void {
    const uri = pathToFileURL(path).href
    this.tell('textDocument/didOpen', { textDocument: { uri, languageId: 'typescript', version: 1, text } })
  }

  /** What an editor shows of the name at a place (both from 0). */
  async hover(path: string, line: number, character: number): Promise<string> {
    const textDocument = { uri: pathToFileURL(path).href }
    const shown = await this.ask('textDocument/hover', { textDocument, position: { line, character } })
    const { contents } = (shown ?? {}) as { readonly contents?: { readonly value: string } }
    return contents?.value ?? ''
  }

  /** Sends a request; answers its result. */
  ask(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#send({ id, method, params })
    })
  }

  /** Sends what is not answered. */
  tell(method: string, params: unknown): void {
    this.#send({ method, params })
  }

  close(): void {
    this.#child.kill()
  }

  #send(message: Message): void {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }))
    this.#child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`)
    this.#child.stdin.write(body)
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/i.exec(this.#received.toString('latin1', 0, Math.max(end, 0)))?.[1])
      if (end === -1 || this.#received.length < end + 4 + length) return
      const body = this.#received.toString('utf8', end + 4, end + 4 + length)
      this.#received = this.#received.subarray(end + 4 + length)
      this.#handle(JSON.parse(body) as Message)
    }
  }

  #handle({ id, method, result, error }: Message): void {
    // What it asks of an editor, such as to watch files, is not needed here.
    if (method !== undefined) return id === undefined ? undefined : this.#send({ id, result: null })
    const waiting = this.#waiting.get(id!)
    this.#waiting.delete(id!)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new Error(error.message))
  }
}
