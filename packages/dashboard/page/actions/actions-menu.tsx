import { useRef, useState } from 'preact/hooks'
import { actionsFor, type ActionKind } from './actions.ts'
import { Menu } from '../widgets/menu.tsx'
import type { BackendView } from '../api/views.ts'

interface ActionsMenuProps {
  readonly backend: BackendView
  readonly canAct: boolean
  readonly onChoose: (kind: ActionKind) => void
}

/** The button of a row, and the menu that it opens. */
export function ActionsMenu({ backend, canAct, onChoose }: ActionsMenuProps) {
  const [isOpen, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const close = (goBack: boolean) => {
    setOpen(false)
    if (goBack) button.current?.focus()
  }
  const name = `Actions for ${backend.id}`
  return (
    <>
      <button
        ref={button}
        type="button"
        class="more"
        aria-label={name}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown') return
          event.preventDefault()
          setOpen(true)
        }}
      >
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="currentColor">
          <circle cx="3" cy="8" r="1.4" />
          <circle cx="8" cy="8" r="1.4" />
          <circle cx="13" cy="8" r="1.4" />
        </svg>
      </button>
      {isOpen && (
        <Menu
          name={name}
          anchor={button}
          items={actionsFor(backend).map(([kind, { label }]) => ({ key: kind, label }))}
          isDisabled={!canAct}
          onClose={close}
          onChoose={(kind) => {
            // So that the dialog returns the focus there.
            close(true)
            onChoose(kind)
          }}
        />
      )}
    </>
  )
}
