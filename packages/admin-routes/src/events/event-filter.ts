import { Type, type Static } from '@sinclair/typebox'
import { eventTypes } from './event.ts'
import type { LoggedEvent } from './event-log.ts'

const types = [...eventTypes, 'figures']
const anyType = `(${types.join('|')})`

/** What may be asked for. */
export const EventsQuery = Type.Object({
  type: Type.Optional(
    Type.String({
      pattern: `^${anyType}(,${anyType})*$`,
      description: `Only these, separated by commas: ${eventTypes.join(', ')}; and figures, which are not told otherwise`,
    }),
  ),
  balancer: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Only what concerns this one' })),
  lastEventId: Type.Optional(
    Type.String({ maxLength: 100, description: 'For clients that cannot set `Last-Event-ID`, which goes before it' }),
  ),
})
/** What may be asked for. */
export type EventsQuery = Static<typeof EventsQuery>

/** Says whether an event is wanted. */
export type EventFilter = (event: LoggedEvent) => boolean

/** The filter that a query asks for. */
export function filterOf({ type, balancer }: EventsQuery): EventFilter {
  const wanted = type === undefined ? undefined : new Set(type.split(','))
  return (event) =>
    (wanted === undefined || wanted.has(event.type)) && (balancer === undefined || balancer === event.balancer)
}

/** Says whether figures of a balancer are wanted; undefined where none are. */
export function figuresFilterOf({ type, balancer }: EventsQuery): ((balancer: string) => boolean) | undefined {
  if (type?.split(',').includes('figures') !== true) return undefined
  return (name) => balancer === undefined || balancer === name
}
