import { Type, type Static } from '@sinclair/typebox'
import { eventTypes } from './event.ts'
import type { LoggedEvent } from './event-log.ts'

const anyType = `(${eventTypes.join('|')})`

/** What may be asked for. */
export const EventsQuery = Type.Object({
  type: Type.Optional(
    Type.String({
      pattern: `^${anyType}(,${anyType})*$`,
      description: `Only these, separated by commas: ${eventTypes.join(', ')}`,
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
  const types = type === undefined ? undefined : new Set(type.split(','))
  return (event) =>
    (types === undefined || types.has(event.type)) && (balancer === undefined || balancer === event.balancer)
}
