import { serverIntent } from './server-intent.ts'
import type { Intent } from '../actions/intent.ts'
import type { ServerView } from '../api/views.ts'

interface ServerButtonProps {
  readonly server: ServerView
  readonly canAct: boolean
  readonly onChoose: (intent: Intent) => void
}

/** Takes the whole server out of use, or back in. */
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
        // Where the dialog goes back to when it closes; not every browser focuses what is clicked.
        currentTarget.focus()
        onChoose(intent)
      }}
    >
      {intent.label}
    </button>
  )
}
