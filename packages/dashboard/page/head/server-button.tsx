import { serverIntent } from './server-intent.ts'
import type { Intent } from '../orders/intent.ts'
import type { ServerView } from '../api/views.ts'

interface ServerButtonProps {
  readonly server: ServerView
  readonly canAct: boolean
  readonly onChoose: (intent: Intent) => void
}

/** Drains the whole server, or ends its drain. */
export function ServerButton({ server, canAct, onChoose }: ServerButtonProps) {
  const intent = serverIntent(server)
  return (
    <button
      type="button"
      class="server"
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
