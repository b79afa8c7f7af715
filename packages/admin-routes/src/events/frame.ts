import { jsonOf } from '../views/evidence.ts'
import type { EventDraft } from './event.ts'
import type { FiguresEvent } from './figures-event.ts'

/**
 * An event as it is sent (WHATWG HTML §9.2, `text/event-stream`). Never throws: evidence may be any value, and is left out
 * if it is not JSON or too long.
 */
export function frameOf(id: string, event: EventDraft): string {
  const parts = [`"id":${JSON.stringify(id)}`]
  const omitted: string[] = []
  for (const [name, value] of Object.entries(event)) {
    if (value === undefined) continue
    const json = jsonOf(value)
    if (json === undefined) omitted.push(name)
    else parts.push(`${JSON.stringify(name)}:${json}`)
  }
  if (omitted.length > 0) parts.push(`"omitted":${JSON.stringify(omitted)}`)
  return `id: ${id}\nevent: ${event.type}\ndata: {${parts.join(',')}}\n\n`
}

/** Figures as they are sent. Without an id, since they are not replayed. */
export function figuresFrameOf(figures: FiguresEvent): string {
  return `event: figures\ndata: ${JSON.stringify(figures)}\n\n`
}
