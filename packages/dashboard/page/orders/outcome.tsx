import { useEffect, useRef } from 'preact/hooks'
import type { Told } from './told.ts'

interface OutcomeProps {
  readonly told: Told | undefined
  readonly onDismiss: () => void
}

/** A success disappears by itself after this time (ms). */
const shownFor = 10_000

/** Shows the outcome; a failure until it is dismissed. The status element is always there, so that screen readers announce it. */
export function Outcome({ told, onDismiss }: OutcomeProps) {
  const latest = useRef(onDismiss)
  latest.current = onDismiss
  useEffect(() => {
    if (told === undefined || told.isRefusal) return undefined
    const timer = setTimeout(() => latest.current(), shownFor)
    return () => clearTimeout(timer)
  }, [told])
  return (
    <div class="outcome">
      <p role="status" aria-label="Outcome">
        {told?.isRefusal === false && told.text}
      </p>
      {told?.isRefusal === true && (
        <p role="alert" class="bad">
          {told.text}
        </p>
      )}
      {told !== undefined && (
        <button type="button" class="quiet" onClick={onDismiss}>
          Dismiss
        </button>
      )}
    </div>
  )
}
