import type { Action } from './action.ts'
import type { Field } from '../orders/intent.ts'
import { longest } from './state-actions.ts'
import type { BackendView, CircuitView } from '../api/views.ts'
import { reasonField } from './reason-field.ts'

/** An operator does not need to know that a circuit that is held open is called isolated. */
function circuitText({ state }: CircuitView): string {
  return state === 'open' || state === 'isolated' ? 'now has an open circuit' : `now has a ${state} circuit`
}

/** The reason of a hold begins with this, by this page and, unless another is given, by all. */
const heldReason = /^held (?:open|closed)\b/

/** An operator, or other code, keeps the circuit in its state. */
function isHeld({ circuit }: BackendView): boolean {
  if (circuit === undefined) return false
  return circuit.state === 'isolated' || circuit.who !== undefined || heldReason.test(circuit.reason)
}

const hold: readonly Field[] = [
  {
    kind: 'number',
    name: 'ttl',
    label: 'For (seconds)',
    hint: 'Empty = until it is released.',
    isRequired: false,
    minimum: 0.001,
    maximum: longest,
    step: 0.001,
  },
  reasonField,
]

function holding(state: 'open' | 'closed'): Pick<Action, 'fields' | 'run'> {
  return {
    fields: () => hold,
    run: async (api, { view, backend }, confirmation) => {
      const reason = confirmation.text('reason')
      const order = {
        state,
        ttl: confirmation.milliseconds('ttl'),
        ...(reason !== undefined && { reason: `held ${state}: ${reason}` }),
      }
      return circuitText(await api.setCircuit(view.name, backend.id, order))
    },
  }
}

const open: Action = {
  label: 'Open circuit',
  title: (id) => `Open circuit of ${id}`,
  consequence: () => 'It gets no new requests while its circuit is held open. Requests in flight finish.',
  isOffered: ({ circuit }) => circuit !== undefined && circuit.state !== 'open' && circuit.state !== 'isolated',
  ...holding('open'),
}

const close: Action = {
  label: 'Close circuit',
  title: (id) => `Close circuit of ${id}`,
  consequence: () => 'It gets requests again. Failures do not open its circuit while it is held closed.',
  isOffered: ({ circuit }) => circuit !== undefined && circuit.state !== 'closed',
  ...holding('closed'),
}

const release: Action = {
  label: 'Release circuit',
  title: (id) => `Release circuit of ${id}`,
  consequence: () => 'Its circuit is no longer held: it opens and closes by itself.',
  isOffered: isHeld,
  run: async (api, { view, backend }) => circuitText(await api.setCircuit(view.name, backend.id, { state: 'auto' })),
}

/** Actions on the circuit of a backend. */
export const circuitActions = { open, close, auto: release }
