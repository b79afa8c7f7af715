import { useEffect, useState } from 'preact/hooks'
import type { Api } from '../api/api.ts'
import type { BalancerView } from '../api/views.ts'
import { Dialog } from '../widgets/dialog.tsx'
import { isEmpty, previewed, type Difference } from '../orders/difference.ts'
import { Differences } from '../orders/differences.tsx'
import { OrderForm } from '../orders/order-form.tsx'
import type { Told } from '../orders/told.ts'
import { refusalOf, type Refusal } from '../orders/refusal.ts'
import { Refused } from '../orders/refused.tsx'
import { earlierRevisions, revisionText, rollbackIntent } from './rollback-intent.ts'

interface RollbackDialogProps {
  readonly api: Api
  /** As it was when the dialog was opened. */
  readonly view: BalancerView
  /** Of the list now: the preview compares with that. */
  readonly revision: number
  readonly at: number
  readonly onEnd: (outcome: Told | undefined) => void
}

interface Preview {
  readonly to: number
  readonly difference?: Difference
  readonly refusal?: Refusal
}

function usePreview(
  { api, view: { name }, revision }: RollbackDialogProps,
  to: number | undefined,
): Preview | undefined {
  const [preview, setPreview] = useState<Preview>()
  useEffect(() => {
    if (to === undefined) return undefined
    let isGone = false
    const show = (seen: Preview) => {
      if (!isGone) setPreview(seen)
    }
    api.previewRollback(name, to).then(
      (answer) => {
        const { faults } = answer
        const refusal = { text: 'It would be refused:', faults, isOpen: true, isDangerous: true }
        show({ to, difference: previewed(answer), ...(faults.length > 0 && { refusal }) })
      },
      (error: unknown) => show({ to, refusal: refusalOf('The preview', error, undefined) }),
    )
    return () => {
      isGone = true
    }
  }, [api, name, to, revision])
  return preview?.to === to ? preview : undefined
}

/** Chooses an earlier revision, shows what a rollback would change, and asks for confirmation. */
export function RollbackDialog(props: RollbackDialogProps) {
  const { api, view, at, onEnd } = props
  const revisions = earlierRevisions(view)
  const [to, setTo] = useState(revisions[0]?.revision)
  const preview = usePreview(props, to)
  const difference = preview?.difference
  return (
    <Dialog name="Roll back" onCancel={() => onEnd(undefined)}>
      <OrderForm
        api={api}
        intent={rollbackIntent(view, to)}
        isReady={difference !== undefined && !isEmpty(difference)}
        onEnd={onEnd}
      >
        <p class="field">
          <label for="revision">Back to</label>
          <select id="revision" value={to} onChange={({ currentTarget }) => setTo(Number(currentTarget.value))}>
            {revisions.map((one) => (
              <option key={one.revision} value={one.revision}>
                {revisionText(one, at)}
              </option>
            ))}
          </select>
        </p>
        <div class="preview" role="status" aria-label="Preview">
          {preview === undefined && to !== undefined && <p class="note">Comparing the lists …</p>}
          {difference !== undefined &&
            (isEmpty(difference) ? (
              <p class="note">That list is the same as the current one.</p>
            ) : (
              <Differences difference={difference} />
            ))}
        </div>
        {preview?.refusal !== undefined && <Refused refusal={preview.refusal} />}
      </OrderForm>
    </Dialog>
  )
}
