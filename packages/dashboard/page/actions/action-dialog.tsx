import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from '../api/api-error.ts'
import type { Api } from '../api/api.ts'
import type { Intent } from './intent.ts'
import { giveFocusBack } from '../widgets/lost-focus.ts'
import type { Told } from './outcome.tsx'

interface ActionDialogProps {
  readonly api: Api
  readonly intent: Intent
  /** undefined: cancelled. */
  readonly onEnd: (outcome: Told | undefined) => void
}

function refusalOf(intent: Intent, error: unknown): Told {
  const { status, message, faults } =
    error instanceof ApiError ? error : { status: 0, message: String(error), faults: [] as string[] }
  const why = status === 412 ? 'the list was changed meanwhile. The page now shows the current one' : message
  // The server's message often includes the faults.
  const more = faults.filter((fault) => !why.includes(fault))
  return { isRefusal: true, text: `${intent.title} failed: ${[why, ...more].join('; ').replace(/\.$/, '')}.` }
}

/** Asks for confirmation, and for a value if the action takes one. */
export function ActionDialog({ api, intent, onEnd }: ActionDialogProps) {
  const { title, field, choice, consequence, run } = intent
  const dialog = useRef<HTMLDialogElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const box = useRef<HTMLInputElement>(null)
  const [isBusy, setBusy] = useState(false)

  useLayoutEffect(() => {
    const element = dialog.current!
    const before = document.activeElement
    element.showModal()
    input.current?.select()
    return () => {
      element.close()
      giveFocusBack(before)
    }
  }, [])

  const confirm = async (event: Event) => {
    event.preventDefault()
    if (isBusy) return
    setBusy(true)
    const entered = input.current?.value ?? ''
    try {
      const text = await run(api, {
        value: entered === '' ? undefined : Number(entered),
        isChosen: box.current?.checked ?? false,
      })
      onEnd({ isRefusal: false, text })
    } catch (error) {
      onEnd(refusalOf(intent, error))
    }
  }

  return (
    <dialog
      ref={dialog}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault()
        onEnd(undefined)
      }}
    >
      <form onSubmit={(event) => void confirm(event)}>
        <h2>{title}</h2>
        <p>{consequence}</p>
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
              defaultValue={field.initial}
            />
            <small id="hint">{field.hint}</small>
          </p>
        )}
        {choice !== undefined && (
          <p class="field choice">
            <label>
              <input ref={box} type="checkbox" aria-describedby="choice-hint" />
              {choice.label}
            </label>
            <small id="choice-hint">{choice.hint}</small>
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={() => onEnd(undefined)}>
            Cancel
          </button>
          <button type="submit" class="primary" aria-disabled={isBusy}>
            {title}
          </button>
        </div>
      </form>
    </dialog>
  )
}
