// Room `feed`: the feed of events.
import { textOf } from './event-text.ts'
import { clockTime } from '../figures-text.ts'
import { memo } from '../widgets/memo.ts'
import type { FeedEvent } from '../live/events.ts'

function FeedLine({ event, several }: { readonly event: FeedEvent; readonly several: boolean }) {
  const { tone, text } = textOf(event)
  // The sentence of a change names its backend itself.
  const of = 'backend' in event && event.type !== 'admin' ? event.backend : undefined
  return (
    <li class={tone}>
      <time dateTime={new Date(event.at).toISOString()}>{clockTime(event.at)}</time>
      <span>
        {several && event.balancer !== undefined && <small>{event.balancer} </small>}
        {of !== undefined && <span class="id">{of} </span>}
        {text}
      </span>
    </li>
  )
}

const Line = memo(FeedLine)

/** The latest events, newest first. */
export function EventFeed({ feed, several }: { readonly feed: readonly FeedEvent[]; readonly several: boolean }) {
  return (
    <section class="feed">
      <div class="title">
        <h2>Events</h2>
      </div>
      <div role="log" aria-label="Events" tabIndex={0}>
        {feed.length === 0 ? (
          <p class="note">No events since this page was opened.</p>
        ) : (
          <ol>
            {feed.map((event) => (
              <Line key={event.id} event={event} several={several} />
            ))}
          </ol>
        )}
      </div>
    </section>
  )
}
