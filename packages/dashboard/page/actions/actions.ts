// Room `actions`: the actions of an operator, and their dialogs.
import { durationText } from '../figures-text.ts'
import type { BackendView, ProbeView } from '../api/views.ts'
import type { Action } from './action.ts'
import { circuitActions } from './circuit-actions.ts'
import type { Intent } from '../orders/intent.ts'
import { stateActions } from './state-actions.ts'
import type { Subject } from './subject.ts'

/** A probe and its outcome. If it was inconclusive, `received` says why. */
export function probeText({ good, inconclusive, sent, received, timings }: ProbeView): string {
  const verdict = inconclusive === undefined ? (good ? 'good' : 'bad') : 'inconclusive, does not count'
  return `${verdict} (${sent} → ${received}, ${durationText(timings.took)})`
}

const weight: Action = {
  label: 'Set weight',
  title: (id) => `Set weight of ${id}`,
  fields: ({ backend }) => [
    {
      kind: 'number',
      name: 'weight',
      label: 'Weight',
      hint: 'Its share of the traffic, relative to the others: a whole number from 1 to 65535.',
      isRequired: true,
      minimum: 1,
      maximum: 65_535,
      step: 1,
      initial: backend.weight,
    },
  ],
  consequence: (backend) => `Its weight is ${backend.weight} now.`,
  isConditional: true,
  isOffered: () => true,
  run: async (api, { view, backend }, confirmation) => {
    const value = confirmation.number('weight') ?? backend.weight
    await api.setWeight(view.name, backend.id, value, confirmation.revision)
    return `now has weight ${value}`
  },
}

const probe: Action = {
  label: 'Probe now',
  title: (id) => `Probe ${id}`,
  consequence: () => 'Sends a health check probe now. It counts like any other probe.',
  // Outliers may be watched without any probes.
  isOffered: ({ health }) =>
    health !== undefined && (health.lastProbe !== undefined || health.notEjected === undefined),
  run: async (api, { view, backend }) => `was probed: ${probeText(await api.probe(view.name, backend.id))}`,
}

const { ready, drain, deadline, maintenance, remove } = stateActions

/** In the order of the menu. */
const actions = { ready, drain, deadline, maintenance, weight, ...circuitActions, probe, remove }

/** An action on a backend. */
export type ActionKind = keyof typeof actions

/** The actions that make sense for a backend as it is, in the order of its menu. */
export function actionsFor(backend: BackendView): readonly (readonly [ActionKind, Action])[] {
  return (Object.entries(actions) as [ActionKind, Action][]).filter(([, action]) => action.isOffered(backend))
}

/** An action on a backend that awaits confirmation. */
export function backendIntent(kind: ActionKind, subject: Subject): Intent {
  const { backend, view } = subject
  const action: Action = actions[kind]
  const { points, warning } = action
  return {
    title: action.title(backend.id),
    consequence: action.consequence(backend),
    fields: action.fields?.(subject) ?? [],
    ...(points !== undefined && { points: (entered) => points(subject, entered) }),
    warning: warning?.(subject),
    ...(action.isConditional === true && { basis: view }),
    canBeForced: action.canBeForced === true,
    run: async (api, confirmation) => `${backend.id} ${await action.run(api, subject, confirmation)}.`,
  }
}
