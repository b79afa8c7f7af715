import { jsonOf } from '../views/evidence.ts'
import type { EventDraft } from './event.ts'
import type { FiguresEvent } from '../figures/figures-event.ts'

/**
 * An event as it is sent (WHATWG HTML §9.2, `text/event-stream`). Never throws: evidence may be any value, and is left out
 * if it is not JSON or too long.
 */
export function frameOf(id: string, event: EventDraft): string {
  const parts = [`"id":${JSON.stringify(id)}`]
  const { omitted: before = [] } = event as { readonly omitted?: readonly string[] }
  const omitted = [...before]
  for (const [name, value] of Object.entries(event)) {
    if (value === undefined || name === 'omitted') continue
    const json = jsonOf(value)
    if (json === undefined) omitted.push(name)
    else parts.push(`${JSON.stringify(name)}:${json}`)
  }
  if (omitted.length > 0) parts.push(`"omitted":${JSON.stringify(omitted)}`)
  return `id: ${id}\nevent: ${event.type}\ndata: {${parts.join(',')}}\n\n`
}

/** An event as other instances get it: only what is JSON, and not too long. */
export function plainEvent(event: EventDraft): EventDraft {
  const frame = frameOf('', event)
  const { id: _, ...plain } = JSON.parse(frame.slice(frame.indexOf('\ndata: ') + 7)) as { readonly id: string }
  return plain as EventDraft
}

/** Figures as they are sent. Without an id, since they are not replayed. */
export function figuresFrameOf(figures: FiguresEvent): string {
  return `event: figures\ndata: ${JSON.stringify(figures)}\n\n`
}
