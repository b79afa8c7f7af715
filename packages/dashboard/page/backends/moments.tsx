import { age, clockTime } from '../figures-text.ts'

/** When something was, in ms since the epoch, as the time of day. */
export function Clock({ time }: { readonly time: number }) {
  return (
    <time dateTime={new Date(time).toISOString()} title={new Date(time).toLocaleString()}>
      {clockTime(time)}
    </time>
  )
}

/** How long something has lasted. */
export function Since({ since, at }: { readonly since: number; readonly at: number }) {
  return (
    <time dateTime={new Date(since).toISOString()} title={new Date(since).toLocaleString()}>
      {age(at - since)}
    </time>
  )
}
