import { harmless } from './harmless.ts'
import type { Instances } from './admin-api.ts'
import { instancesLine } from './instances.ts'
import type { Row, Section } from './sections.ts'
import { fitting, tableOf, type Line, type Paint } from './table.ts'
import type { Key } from './terminal.ts'

/** What can be done to a backend. */
type OrderKind = 'drain' | 'ready' | 'probe'

/** What is to be done to which backend. */
export interface Order {
  readonly kind: OrderKind
  readonly row: Row
}

const orderKeys: Readonly<Record<Key, OrderKind>> = { d: 'drain', r: 'ready', p: 'probe' }

function questionOf({ kind, row: { backend, balancer } }: Order): string {
  const what = harmless(`${backend.id} of ${balancer}`)
  if (kind === 'drain') return `Drain ${what}? It gets no new requests; in flight: ${backend.inFlight}.`
  return kind === 'ready' ? `Set ${what} ready?` : `Probe ${what} now?`
}

/** How far each key moves the choice. */
const moves: Readonly<Record<Key, number>> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  pageup: -10,
  pagedown: 10,
  home: -1e6,
  end: 1e6,
}

/** What a person looks at: the table, which backend is chosen, what is asked and what came of it. */
export class Board {
  readonly #url: string
  readonly #paint: Paint
  #sections: readonly Section[] = []
  #instances: Instances | undefined
  /** By name: its row moves. */
  #chosen: { readonly balancer: string; readonly id: string } | undefined
  #question: Order | undefined
  #message = ''
  /** Why what is shown is old. */
  #fault: string | undefined

  constructor(url: string, paint: Paint) {
    this.#url = url
    this.#paint = paint
  }

  show(sections: readonly Section[], instances: Instances | undefined): void {
    this.#sections = sections
    this.#instances = instances
    this.#fault = undefined
  }

  /** What was shown stays, and it is said why it is old. */
  lose(fault: string): void {
    this.#fault = fault
  }

  tell(message: string): void {
    this.#message = message
  }

  /** Answers the order that a key has confirmed. */
  press(key: Key): Order | undefined {
    const asked = this.#question
    this.#question = undefined
    this.#message = ''
    if (asked !== undefined) return key === 'y' ? asked : undefined
    const kind = Object.hasOwn(orderKeys, key) ? orderKeys[key] : undefined
    const row = this.#row
    if (kind !== undefined && row !== undefined) this.#question = { kind, row }
    else if (Object.hasOwn(moves, key)) this.#move(moves[key]!)
    return undefined
  }

  get #rows(): readonly Row[] {
    return this.#sections.flatMap(({ rows }) => rows)
  }

  get #row(): Row | undefined {
    const rows = this.#rows
    return (
      rows.find(({ balancer, backend }) => balancer === this.#chosen?.balancer && backend.id === this.#chosen.id) ??
      rows[0]
    )
  }

  #move(by: number): void {
    const rows = this.#rows
    const index = rows.indexOf(this.#row!) + by
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))]
    if (row !== undefined) this.#chosen = { balancer: row.balancer, id: row.backend.id }
  }

  /** The whole screen. */
  lines(width: number, height: number): readonly string[] {
    const body = tableOf(this.#sections, width, this.#paint, this.#row)
    const instances = instancesLine(this.#instances, width, this.#paint)
    const head = [this.#head(width), ...(instances === undefined ? [] : [instances]), '']
    const room = Math.max(1, height - head.length - 2)
    return [...head, ...windowOf(body, this.#row, room), '', this.#foot(width)]
  }

  #head(width: number): string {
    const rows = this.#rows
    const bad = rows.filter(({ condition }) => condition === 'unhealthy' || condition === 'failing').length
    const title = fitting(`fastify-balancer top  ${this.#url}`, width)
    const left = width - title.length
    if (this.#fault !== undefined)
      return this.#paint('bold', title) + this.#paint('red', fitting(`  not current: ${this.#fault}`, left))
    const counts = `  ${rows.length} backend${rows.length === 1 ? '' : 's'}`
    return (
      this.#paint('bold', title) +
      fitting(counts, left) +
      this.#paint('red', fitting(bad > 0 ? `, not well: ${bad}` : '', left - counts.length))
    )
  }

  #foot(width: number): string {
    const question = this.#question
    if (question !== undefined)
      return this.#paint('bold', fitting(`${questionOf(question)}  y = yes, any other key = no`, width))
    if (this.#message !== '') return fitting(this.#message, width)
    return this.#paint('dim', fitting('↑↓ choose   d drain   r set ready   p probe   q quit', width))
  }
}

/** As many lines as there is room for: those around the chosen row, where not all can be seen. */
function windowOf(lines: readonly Line[], chosen: Row | undefined, room: number): readonly string[] {
  const at = lines.findIndex(({ row }) => row !== undefined && row === chosen)
  // The first row with its heading; further down, the row in the middle.
  const start = at < room ? 0 : Math.min(lines.length - room, at - Math.floor(room / 2))
  const shown = lines.slice(start, start + room).map(({ text }) => text)
  return shown.concat(Array.from({ length: room - shown.length }, () => ''))
}
