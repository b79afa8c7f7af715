import type { FeedEvent } from '../live/events.ts'

/** Whether an event is good or bad; shown by a symbol too, never by colour alone. */
type Tone = 'good' | 'bad' | 'plain'

/** An event in words. */
export interface EventText {
  readonly tone: Tone
  readonly text: string
}

function list(word: string, ids: readonly string[] = []): string[] {
  return ids.length === 0 ? [] : [`${word} ${ids.join(', ')}`]
}

const tones: Readonly<Record<string, Tone>> = { closed: 'good', ready: 'good', open: 'bad', isolated: 'bad' }

function refusalText({ refusing, text }: { readonly refusing: boolean; readonly text: string }): EventText {
  return { tone: refusing ? 'bad' : 'good', text }
}

type Texts = {
  readonly [Type in FeedEvent['type']]: (event: Extract<FeedEvent, { readonly type: Type }>) => EventText
}

const texts: Texts = {
  veto: ({ action, by, reason, hard, available, others = 0 }) => {
    const more = others === 0 ? '' : ` (and ${others} more backends)`
    // While others keep it out, nothing is better.
    if (action === 'lifted')
      return { tone: available ? 'good' : 'plain', text: `no longer kept out by ${by} (was: ${reason})${more}` }
    // An order is no bad news.
    const state = hard ? 'out of rotation' : 'unhealthy'
    return { tone: hard ? 'plain' : 'bad', text: `${state} (${by}): ${reason}${more}` }
  },

  circuit: ({ state, before, reason }) => ({
    tone: tones[state] ?? 'plain',
    text: `circuit ${before} → ${state}: ${reason}`,
  }),

  panic: ({ panicking, text }) => ({ tone: panicking ? 'bad' : 'good', text }),

  state: ({ state, before, who }) => ({
    tone: tones[state] ?? 'plain',
    text: `${before} → ${state}${who === undefined ? '' : `, for ${who}`}`,
  }),

  backends: ({ revision, added, removed, changed }) => {
    const parts = [...list('added', added), ...list('removed', removed), ...list('changed', changed)]
    return { tone: 'plain', text: `list changed (revision ${revision}): ${parts.join('; ') || 'new order'}` }
  },

  admin: ({ text, refused }) => ({ tone: refused === undefined ? 'plain' : 'bad', text }),

  queue: refusalText,

  overload: refusalText,

  reload: ({ applied, summary }) => ({ tone: applied ? 'plain' : 'bad', text: summary }),
}

/** An event in words, without the id of its backend, except for a change. */
export function textOf(event: FeedEvent): EventText {
  return (texts[event.type] as (one: FeedEvent) => EventText)(event)
}
