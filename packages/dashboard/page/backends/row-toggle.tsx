interface RowToggleProps {
  /** Of the row. */
  readonly name: string
  readonly isOpen: boolean
  /** Id of what it opens. */
  readonly controls: string
  readonly onToggle: () => void
}

/** Opens the details of a row. */
export function RowToggle({ name, isOpen, controls, onToggle }: RowToggleProps) {
  return (
    <button
      type="button"
      class="toggle"
      aria-label={`Details of ${name}`}
      aria-expanded={isOpen}
      {...(isOpen && { 'aria-controls': controls })}
      onClick={onToggle}
    >
      <svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
        <path d="M4 1.5 8.5 6 4 10.5" fill="none" stroke="currentColor" stroke-width="1.6" />
      </svg>
    </button>
  )
}
