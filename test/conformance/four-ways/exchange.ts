/** A header field. Names are lower-case, values one character for each byte. */
export type Field = readonly [name: string, value: string]

/** What a client sends, whatever its protocol. Bodies are text: one character for each byte. */
export interface Question {
  readonly method?: string
  /** Without one, the path of its case. */
  readonly path?: string
  readonly host?: string
  readonly fields?: readonly Field[]
  readonly body?: string
  /** Says how long the body is; otherwise it is sent in two pieces of unknown number (chunks, DATA). */
  readonly sized?: boolean
  readonly trailers?: readonly Field[]
  /** Does not send the end of its body. */
  readonly open?: boolean
  /** Reads nothing until it is told to. */
  readonly paused?: boolean
}

/** What a client has got. */
export interface Reply {
  readonly status: number
  readonly fields: readonly Field[]
  readonly body: string
  readonly trailers: readonly Field[]
  readonly interim: readonly { readonly status: number; readonly fields: readonly Field[] }[]
  /** It came to its proper end. */
  readonly whole: boolean
}

/** A request under way. */
export interface Asking {
  readonly reply: Promise<Reply>
  /** Sends the rest of the body, and its end. */
  finish(rest: string): void
  /** Leaves: the connection, or over HTTP/2 the stream. */
  abort(): void
  /** Reads on. */
  resume(): void
}

/** A client of one protocol. */
export interface Client {
  ask(question: Question & { readonly path: string }): Promise<Asking>
}

/** What a backend has got. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly host: string
  readonly fields: readonly Field[]
  body: string
  trailers: readonly Field[]
  /** The body came to its proper end. */
  whole: boolean
  /** It broke off, or the requester has left. */
  broken: boolean
}

/** How a backend answers, whatever its protocol. */
export interface Answer {
  interim(status: number, fields: readonly Field[]): void
  /** The head; with `end`, nothing follows. */
  head(status: number, fields?: readonly Field[], end?: boolean): void
  data(text: string): void
  end(trailers?: readonly Field[]): void
  /** Breaks off. */
  cut(): void
  /** What was written and could not be sent yet (bytes). */
  readonly unsent: number
}

/** What a backend does for one path. */
export interface Role {
  /** Answers as soon as it has the head of the request. */
  readonly early?: boolean
  answer(answer: Answer, asked: Asked): void
}

/** A backend of one protocol: it plays the role of each path. */
export interface Backend {
  readonly url: string
  readonly asked: ReadonlyMap<string, Asked>
}

/** All values of a field. */
export function values(fields: readonly Field[], name: string): string[] {
  return fields.filter(([one]) => one === name).map(([, value]) => value)
}
