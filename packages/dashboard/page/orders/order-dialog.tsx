import type { Api } from '../api/api.ts'
import { Dialog } from '../widgets/dialog.tsx'
import type { Intent } from './intent.ts'
import { OrderForm } from './order-form.tsx'
import type { Told } from './told.ts'

interface OrderDialogProps {
  readonly api: Api
  readonly intent: Intent
  /** undefined: cancelled. */
  readonly onEnd: (outcome: Told | undefined) => void
}

/** Asks for confirmation, and for what the order takes. */
export function OrderDialog({ api, intent, onEnd }: OrderDialogProps) {
  return (
    <Dialog name={intent.title} onCancel={() => onEnd(undefined)}>
      <OrderForm api={api} intent={intent} onEnd={onEnd} />
    </Dialog>
  )
}
