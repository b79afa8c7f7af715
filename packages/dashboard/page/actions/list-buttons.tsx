interface ListButtonsProps {
  readonly canAct: boolean
  /** There is an earlier list. */
  readonly hasEarlier: boolean
  readonly onAdd: () => void
  readonly onRollBack: () => void
}

interface OrderButtonProps {
  readonly label: string
  readonly isDisabled: boolean
  readonly onClick: () => void
}

function OrderButton({ label, isDisabled, onClick }: OrderButtonProps) {
  return (
    <button
      type="button"
      aria-haspopup="dialog"
      aria-disabled={isDisabled}
      onClick={({ currentTarget }) => {
        if (isDisabled) return
        // The dialog returns the focus there; not every browser focuses a clicked button.
        currentTarget.focus()
        onClick()
      }}
    >
      {label}
    </button>
  )
}

/** Changes the list as a whole. */
export function ListButtons({ canAct, hasEarlier, onAdd, onRollBack }: ListButtonsProps) {
  return (
    <div class="beside">
      <OrderButton label="Add backend" isDisabled={!canAct} onClick={onAdd} />
      <OrderButton label="Roll back" isDisabled={!canAct || !hasEarlier} onClick={onRollBack} />
    </div>
  )
}
