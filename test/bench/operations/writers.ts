import type { Answer } from './admin-api.ts'
import { startCountingBackends } from './backends.ts'
import { Command } from './command.ts'
import { faultsOf, type Amount, type Finding } from './part.ts'

const writers = 50
const list = '/_balancer/balancers/default/backends'

/** What the list answers, as far as it is read here. */
interface List {
  readonly revision: number
  readonly backends: readonly {
    readonly id: string
    readonly url: string
    readonly weight?: number
    readonly tags?: readonly string[]
  }[]
}

/** What a writer has been told is done. */
class Writer {
  readonly #command: Command
  readonly #id: string
  readonly #url: string
  /** Of each change. */
  readonly revisions: number[] = []
  /** Times it has raised the number that all raise. */
  raised = 0
  refused = 0
  readonly faults: string[] = []
  #weight = 1
  #hasSecond = false

  constructor(command: Command, id: string, url: string) {
    this.#command = command
    this.#id = id
    this.#url = url
  }

  /** Its own backend has the last weight, and it has a second one or not. */
  get expected(): Readonly<Record<string, number | undefined>> {
    return { [this.#id]: this.#weight, [`${this.#id}-second`]: this.#hasSecond ? 1 : undefined }
  }

  async begin(): Promise<void> {
    await this.#do('POST', list, { id: this.#id, url: this.#url })
  }

  async write(until: number): Promise<void> {
    for (let turn = 0; performance.now() < until; turn++) {
      if (turn % 3 === 0) await this.#weigh()
      else if (turn % 3 === 1) await this.#toggle()
      else await this.#raise()
    }
    // All at once, so that one of them succeeds each time.
    while (this.faults.length === 0 && !(await this.#raise()));
  }

  async #weigh(): Promise<void> {
    const weight = (this.#weight % 100) + 1
    if (await this.#do('PATCH', `${list}/${this.#id}`, { weight })) this.#weight = weight
  }

  async #toggle(): Promise<void> {
    const id = `${this.#id}-second`
    const isDone = this.#hasSecond
      ? await this.#do('DELETE', `${list}/${id}`)
      : await this.#do('POST', list, { id, url: this.#url })
    if (isDone) this.#hasSecond = !this.#hasSecond
  }

  /** Reads the list, and puts it back with a number raised, if it is still the same. */
  async #raise(): Promise<boolean> {
    const { text, status } = await this.#command.ask(list)
    if (status !== 200) this.faults.push(`GET: ${status}`)
    if (status !== 200) return false
    const { revision, backends } = JSON.parse(text) as List
    // Of a view, what may be written.
    const next = backends.map(({ id, url, weight, tags }) =>
      id === 'a' ? { id, url, weight, tags: [`${Number(tags?.[0] ?? 0) + 1}`] } : { id, url, weight },
    )
    const isDone = await this.#do('PUT', list, { backends: next }, { 'if-match': `"${revision}"` })
    this.raised += Number(isDone)
    return isDone
  }

  async #do(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<boolean> {
    const answer = await this.#command.ask(path, { method, headers, body })
    if (answer.status < 300) return this.#note(method, answer)
    if (answer.status === 412 && 'if-match' in headers) this.refused++
    else this.faults.push(`${method}: ${answer.status} ${answer.text.slice(0, 200)}`)
    return false
  }

  #note(method: string, { headers }: Answer): boolean {
    const revision = /^"(\d+)/.exec(String(headers['etag']))?.[1]
    if (revision === undefined) this.faults.push(`${method}: no ETag`)
    else this.revisions.push(Number(revision))
    for (const name of Object.keys(headers))
      if (/unconfirmed|missing/.test(name)) this.faults.push(`${method}: ${name}: ${String(headers[name])}`)
    return true
  }
}

/** Many write at once, each request at whichever worker is next. */
export async function writeAtOnce({ seconds, directory }: Amount): Promise<Finding> {
  const [a] = await startCountingBackends()
  const command = await Command.start(directory, { backends: [{ id: 'a', url: a!.url }], healthCheck: false })
  const all = Array.from({ length: writers }, (_, index) => new Writer(command, `w${index}`, a!.url))
  for (const writer of all) await writer.begin()
  const until = performance.now() + seconds * 1000
  await Promise.all(all.map((writer) => writer.write(until)))
  await command.allReady()
  const { text } = await command.ask(list)
  const { revision, backends } = JSON.parse(text) as List
  const revisions = all.flatMap((one) => one.revisions).toSorted((one, other) => one - other)
  const raised = all.reduce((sum, one) => sum + one.raised, 0)
  const weights = new Map(backends.map(({ id, weight = 1 }) => [id, weight]))
  const lost = all.flatMap(({ expected }) =>
    Object.entries(expected).filter(([id, weight]) => weights.get(id) !== weight),
  )
  const inList = Number(backends.find(({ id }) => id === 'a')?.tags?.[0] ?? 0)
  const faults = [
    ...new Set(all.flatMap((one) => one.faults)),
    ...faultsOf({
      'revisions are not those of the changes, one by one': revisions.every(
        (one, index) => one === revisions[0]! + index,
      ),
      [`the last revision is ${revision}, the last change got ${revisions.at(-1)}`]: revision === revisions.at(-1),
      [`lost: ${JSON.stringify(lost.slice(0, 5))}`]: lost.length === 0,
      [`raised ${raised} times, to ${inList}`]: raised === inList,
      'not all could raise it': all.every((one) => one.raised > 0),
    }),
  ]
  await command.child.stop()
  const refused = all.reduce((sum, one) => sum + one.refused, 0)
  const figures = { writers, changes: revisions.length, byIfMatch: raised, refused412: refused }
  return { part: 'writers', did: `${writers} writers at whichever worker, for ${seconds} s`, figures, faults }
}
