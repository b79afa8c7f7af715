import type { Fleet } from '../live/fleet.ts'
import type { Intent } from '../orders/intent.ts'
import type { Told } from '../orders/told.ts'
import { restartIntent } from './restart-intent.ts'

interface RestartButtonProps {
  readonly fleet: Fleet
  readonly canAct: boolean
  readonly onChoose: (intent: Intent) => void
  readonly onTold: (told: Told) => void
}

/** Restarts all instances, so that nobody notices. */
export function RestartButton({ fleet, canAct, onChoose, onTold }: RestartButtonProps) {
  const intent = restartIntent(fleet, onTold)
  return (
    <button
      type="button"
      aria-haspopup="dialog"
      aria-disabled={!canAct}
      onClick={({ currentTarget }) => {
        if (!canAct) return
        // The dialog returns the focus there; not every browser focuses a clicked button.
        currentTarget.focus()
        onChoose(intent)
      }}
    >
      {intent.title}
    </button>
  )
}
