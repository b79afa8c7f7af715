import type { Answer, Asked, Asking, Field, Question, Reply } from './exchange.ts'

/** Which protocols are spoken, and how the balancer passes responses on. */
export interface Way {
  readonly client: 1 | 2
  readonly backend: 1 | 2
  readonly lane: 'raw' | 'full'
}

/** One request, and what must come of it on each of the four ways. */
export interface Case {
  readonly question?: Question
  /** The backend answers as soon as it has the head. */
  readonly early?: boolean
  /** By default 200, and the body that it has got. */
  readonly answer?: (answer: Answer, asked: Asked) => void
  /** In the midst of it: what the client does. `backend` tells what the backend has got so far. */
  readonly meanwhile?: (asking: Asking, backend: () => Asked | undefined) => Promise<void>
  readonly check?: (reply: Reply, asked: Asked, way: Way) => void
}

/** The type of every text. */
export const type: Field = ['content-type', 'text/plain']
/** Says how long a body is. */
export const length = (bytes: number): Field => ['content-length', `${bytes}`]

/** Answers with a body of this length, at once. */
export function whole(status: number, fields: readonly Field[], body: string): NonNullable<Case['answer']> {
  return (answer) => {
    answer.head(status, [...fields, length(body.length)])
    answer.data(body)
    answer.end()
  }
}

/** More than one window of HTTP/2 holds. */
export const large = 'large body '.repeat(20_000)

/** What a backend answers by default. */
export function echo(answer: Answer, { body }: Asked): void {
  answer.head(200, [type, length(body.length)])
  if (body !== '') answer.data(body)
  answer.end()
}
