import { Type, type Static } from '@sinclair/typebox'
import { eventTypes } from './event.ts'
import type { LoggedEvent } from './event-log.ts'

const types = [...eventTypes, 'figures']
const anyType = `(${types.join('|')})`

/** The query of `GET /events`. */
export const EventsQuery = Type.Object({
  type: Type.Optional(
    Type.String({
      pattern: `^${anyType}(,${anyType})*$`,
      description: `Only events of these types, separated by commas: ${eventTypes.join(', ')}, figures. Without it: all but figures`,
    }),
  ),
  balancer: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Only events of this balancer' })),
  lastEventId: Type.Optional(
    Type.String({
      maxLength: 4000,
      description: 'For clients that cannot set the header `Last-Event-ID`; the header wins',
    }),
  ),
  recent: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 100_000,
      description: 'For a client that has seen no event yet: first the last so many that are kept and match the query',
    }),
  ),
})
/** The query of `GET /events`. */
export type EventsQuery = Static<typeof EventsQuery>

/** Does the client want this event? */
export type EventFilter = (event: LoggedEvent) => boolean

/** The filter for a query. */
export function filterOf({ type, balancer }: EventsQuery): EventFilter {
  const wanted = type === undefined ? undefined : new Set(type.split(','))
  return (event) =>
    (wanted === undefined || wanted.has(event.type)) && (balancer === undefined || balancer === event.balancer)
}

/** Does the client want figures of this balancer? Undefined if it wants none at all. */
export function figuresFilterOf({ type, balancer }: EventsQuery): ((balancer: string) => boolean) | undefined {
  if (type?.split(',').includes('figures') !== true) return undefined
  return (name) => balancer === undefined || balancer === name
}
