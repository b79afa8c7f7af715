import type { FeedEvent } from '../live/events.ts'

/** How good the news is; shown by a word or a symbol, never by colour alone. */
type Tone = 'good' | 'bad' | 'plain'

/** An event as it is told to a person. */
export interface EventText {
  readonly tone: Tone
  readonly text: string
}

function list(word: string, ids: readonly string[] = []): string[] {
  return ids.length === 0 ? [] : [`${word} ${ids.join(', ')}`]
}

function isPlain(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

function change(before: unknown, after: unknown): string {
  return isPlain(before) && isPlain(after) ? ` (${before} → ${after})` : ''
}

const tones: Readonly<Record<string, Tone>> = { closed: 'good', ready: 'good', open: 'bad', isolated: 'bad' }

type Texts = {
  readonly [Type in FeedEvent['type']]: (event: Extract<FeedEvent, { readonly type: Type }>) => EventText
}

const texts: Texts = {
  // An order is no bad news.
  veto: ({ action, by, reason, hard, others = 0 }) => {
    const more = others === 0 ? '' : ` (and ${others} more backends)`
    return action === 'laid'
      ? { tone: hard ? 'plain' : 'bad', text: `vetoed by ${by}: ${reason}${more}` }
      : { tone: 'good', text: `veto of ${by} lifted: ${reason}${more}` }
  },

  circuit: ({ state, before, reason }) => ({
    tone: tones[state] ?? 'plain',
    text: `circuit ${before} → ${state}: ${reason}`,
  }),

  panic: ({ panicking, available, backends }) => ({
    tone: panicking ? 'bad' : 'good',
    text: `${panicking ? 'panic: opinions are ignored,' : 'panic is over:'} ${available} of ${backends} may be picked`,
  }),

  state: ({ state, before }) => ({ tone: tones[state] ?? 'plain', text: `${before} → ${state}` }),

  backends: ({ revision, added, removed, changed }) => {
    const parts = [`revision ${revision}`, ...list('added', added), ...list('removed', removed)]
    return { tone: 'plain', text: [...parts, ...list('changed', changed)].join('; ') }
  },

  admin: ({ who = 'somebody', what, before, after }) => ({
    tone: 'plain',
    text: `${who} did ${what}${change(before, after)}`,
  }),
}

/** What an event says, without the name of its backend. */
export function textOf(event: FeedEvent): EventText {
  return (texts[event.type] as (one: FeedEvent) => EventText)(event)
}
