import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Api } from '../api/api.ts'
import type { SetView } from '../api/list-views.ts'
import { Confirmation } from './confirmation.ts'
import { Fields } from './fields.tsx'
import type { Intent } from './intent.ts'
import type { Told } from './told.ts'
import { refusalOf, type Refusal } from './refusal.ts'
import { Refused } from './refused.tsx'

interface OrderFormProps {
  readonly api: Api
  readonly intent: Intent
  /** undefined: cancelled. */
  readonly onEnd: (outcome: Told | undefined) => void
  /** There is something to confirm. */
  readonly isReady?: boolean
  readonly children?: ComponentChildren
}

const force = {
  kind: 'choice',
  name: 'force',
  label: 'Do it anyway',
  hint: 'Without a usable backend, requests are answered with 503.',
} as const

/** The form of an order: what will happen, the fields, why it was refused, and the buttons. */
export function OrderForm({ api, intent, onEnd, isReady = true, children }: OrderFormProps) {
  const { title, fields = [], consequence, points, warning, canBeForced = false } = intent
  const form = useRef<HTMLFormElement>(null)
  const [isBusy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<Refusal>()
  const [current, setCurrent] = useState<SetView>()
  // Another order was chosen in the same form.
  useEffect(() => setRefusal(undefined), [title])
  // The order is based on what the operator was shown last.
  const basis = current ?? intent.basis
  const read = () => {
    const values = form.current === null ? {} : Object.fromEntries(new FormData(form.current))
    return new Confirmation(values, { revision: basis?.revision, isForced: values['force'] !== undefined })
  }
  const initial = Object.fromEntries(fields.map((one) => [one.name, 'initial' in one ? String(one.initial) : '']))
  const [entered, setEntered] = useState(() => new Confirmation(initial))

  const confirm = async (event: Event) => {
    event.preventDefault()
    if (isBusy || !isReady) return
    setBusy(true)
    try {
      onEnd({ isRefusal: false, text: await intent.run(api, read()) })
    } catch (error) {
      const refused = refusalOf(title, error, basis)
      if (!refused.isOpen) {
        onEnd({ isRefusal: true, text: refused.text })
        return
      }
      setRefusal(refused)
      if (refused.current !== undefined) setCurrent(refused.current)
      setBusy(false)
    }
  }

  return (
    <form ref={form} onSubmit={(event) => void confirm(event)} onInput={() => setEntered(read())}>
      <h2>{title}</h2>
      <p>{consequence}</p>
      {points !== undefined && (
        <ul class="points">
          {points(entered).map((point) => (
            <li key={point}>{point}</li>
          ))}
        </ul>
      )}
      {warning !== undefined && <p class="warning">{warning}</p>}
      <Fields fields={fields} />
      {children}
      {refusal !== undefined && <Refused refusal={refusal} />}
      {refusal?.isDangerous === true && canBeForced && <Fields fields={[force]} />}
      <div class="buttons">
        <button type="button" onClick={() => onEnd(undefined)}>
          Cancel
        </button>
        <button type="submit" class="primary" aria-disabled={isBusy || !isReady}>
          {title}
        </button>
      </div>
    </form>
  )
}
