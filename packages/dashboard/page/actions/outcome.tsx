import { useEffect, useRef } from 'preact/hooks'

/** What has come of something that the operator wanted. */
export interface Told {
  readonly isRefusal: boolean
  readonly text: string
}

interface OutcomeProps {
  readonly told: Told | undefined
  readonly onDismiss: () => void
}

/** What has been done needs no answer, and goes by itself (ms). */
const shownFor = 10_000

/** Says it; a refusal until it is dismissed. The status is always there, so that it is read out. */
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
