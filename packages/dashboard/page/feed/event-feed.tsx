// Room `feed`: the feed of events.
import { textOf } from './event-text.ts'
import { gathered, placesText } from './gathered.ts'
import { momentText } from '../figures-text.ts'
import { memo } from '../widgets/memo.ts'
import type { FeedEvent } from '../live/events.ts'

interface FeedLineProps {
  readonly event: FeedEvent
  readonly several: boolean
  /** On which instances, if not on all. */
  readonly places: string
  /** Midnight of the day, in ms since the epoch. */
  readonly today: number
}

function FeedLine({ event, several, places, today }: FeedLineProps) {
  const { tone, text } = textOf(event)
  // The sentence of a change names its backend itself.
  const of = 'backend' in event && event.type !== 'admin' ? event.backend : undefined
  return (
    <li class={tone}>
      <time dateTime={new Date(event.at).toISOString()}>{momentText(event.at, today)}</time>
      <span>
        {several && event.balancer !== undefined && <small>{event.balancer} </small>}
        {of !== undefined && <span class="id">{of} </span>}
        {text}
        {places !== '' && <small> {places}</small>}
      </span>
    </li>
  )
}

const Line = memo(FeedLine)

interface EventFeedProps {
  /** Newest first. */
  readonly feed: readonly FeedEvent[]
  /** Are the events those of several balancers? */
  readonly several: boolean
  /** How many instances there are. */
  readonly instances: number
  /** Have the events been asked for that happened before the page was opened? */
  readonly isLoaded: boolean
  /** In ms since the epoch. */
  readonly at: number
}

/** The latest events, newest first. */
export function EventFeed({ feed, several, instances, isLoaded, at }: EventFeedProps) {
  const today = new Date(at).setHours(0, 0, 0, 0)
  return (
    <section class="feed">
      <div class="title">
        <h2>Events</h2>
      </div>
      <div role="log" aria-label="Events" tabIndex={0}>
        {feed.length === 0 ? (
          <p class="note">{isLoaded ? 'Nothing has happened since the server was started.' : 'Loading events …'}</p>
        ) : (
          <ol>
            {gathered(feed, instances).map(({ event, instances: places }) => (
              <Line
                key={event.id}
                event={event}
                several={several}
                places={placesText(places, instances)}
                today={today}
              />
            ))}
          </ol>
        )}
      </div>
    </section>
  )
}
