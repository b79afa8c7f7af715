import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { actions, type ActionKind, type Order } from './actions.ts'
import { ApiError } from './api-error.ts'
import type { Api } from './api.ts'
import type { Told } from './outcome.tsx'

/** What the operator is about to do. */
export interface ChosenAction extends Omit<Order, 'value'> {
  readonly kind: ActionKind
}

interface ActionDialogProps {
  readonly api: Api
  readonly action: ChosenAction
  /** undefined: nothing was done. */
  readonly onEnd: (outcome: Told | undefined) => void
}

function refusalOf(label: string, id: string, error: unknown): Told {
  const { status, message, faults } =
    error instanceof ApiError ? error : { status: 0, message: String(error), faults: [] as string[] }
  const why = status === 412 ? 'somebody else has changed the list meanwhile. What you see now is how it is' : message
  // A message of the server's often ends with its faults.
  const more = faults.filter((fault) => !why.includes(fault))
  return { isRefusal: true, text: `${label} ${id} was refused: ${[why, ...more].join('; ')}.` }
}

/** Asks whether it is meant, and for what it takes. */
export function ActionDialog({ api, action: { kind, ...order }, onEnd }: ActionDialogProps) {
  const { backend } = order
  const { label, field, consequence, run } = actions[kind]
  const dialog = useRef<HTMLDialogElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const [isBusy, setBusy] = useState(false)

  useLayoutEffect(() => {
    const element = dialog.current!
    const before = document.activeElement
    element.showModal()
    input.current?.select()
    return () => {
      element.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])

  const confirm = async (event: Event) => {
    event.preventDefault()
    if (isBusy) return
    setBusy(true)
    const entered = input.current?.value ?? ''
    try {
      const text = await run(api, { ...order, value: entered === '' ? undefined : Number(entered) })
      onEnd({ isRefusal: false, text: `${backend.id} ${text}.` })
    } catch (error) {
      onEnd(refusalOf(label, backend.id, error))
    }
  }

  return (
    <dialog
      ref={dialog}
      aria-label={`${label} ${backend.id}`}
      onCancel={(event) => {
        event.preventDefault()
        onEnd(undefined)
      }}
    >
      <form onSubmit={(event) => void confirm(event)}>
        <h2>
          {label} <span class="id">{backend.id}</span>
        </h2>
        <p>{consequence(backend)}</p>
        {field !== undefined && (
          <p class="field">
            <label for="value">{field.label}</label>
            <input
              ref={input}
              id="value"
              type="number"
              inputMode="decimal"
              aria-describedby="hint"
              required={field.isRequired}
              min={field.minimum}
              max={field.maximum}
              step={field.step}
              defaultValue={field.initial?.(backend)}
            />
            <small id="hint">{field.hint}</small>
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={() => onEnd(undefined)}>
            Cancel
          </button>
          <button type="submit" class="primary" aria-disabled={isBusy}>
            Confirm
          </button>
        </div>
      </form>
    </dialog>
  )
}
