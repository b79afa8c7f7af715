// Room `actions`: the actions of an operator, and their dialogs.
import type { Api } from '../api/api.ts'
import { durationMark, durationText, tunnelsText } from '../figures-text.ts'
import type { Field, Intent } from './intent.ts'
import type { BackendView, CircuitView, ProbeView } from '../api/views.ts'

/** An action on a backend. */
export type ActionKind = 'ready' | 'drain' | 'maintenance' | 'weight' | 'open' | 'close' | 'auto' | 'probe'

/** What an action is done to. */
export interface Subject {
  readonly balancer: string
  /** Of the balancer (ms); 0 = none. */
  readonly drainDeadline: number
  readonly backend: BackendView
  /** Revision of the list that the operator sees. */
  readonly revision: number
}

/** A number field whose first value or hint depends on the backend. */
interface BackendField extends Omit<Field, 'initial' | 'hint'> {
  readonly initial?: (backend: BackendView) => number
  readonly hint: string | ((subject: Subject) => string)
}

/** A confirmed action. */
interface Order extends Subject {
  /** The entered number, if any. */
  readonly value: number | undefined
}

/** An action as the menu offers it. */
export interface Action {
  /** In the menu. */
  readonly label: string
  /** Of the dialog, and of its button. */
  readonly title: (id: string) => string
  readonly field?: BackendField
  /** What will happen. */
  readonly consequence: (backend: BackendView) => string
  /** Can it be done to this backend? */
  readonly isOffered: (backend: BackendView) => boolean
  /** Does it; resolves with the outcome, as a predicate of the backend. @throws ApiError */
  readonly run: (api: Api, order: Order) => Promise<string>
}

const always = () => true
const hasCircuit = ({ circuit }: BackendView) => circuit !== undefined
const hasHealth = ({ health }: BackendView) => health !== undefined
const inMs = (seconds: number | undefined) => (seconds === undefined ? undefined : Math.round(1000 * seconds))

function inFlightText({ inFlight, tunnels }: BackendView): string {
  const text = inFlight === 0 ? 'None are in flight now' : `${inFlight} ${inFlight === 1 ? 'is' : 'are'} in flight now`
  return tunnels === 0 ? `${text}.` : `${text}; ${tunnelsText(tunnels)} (WebSocket and the like) will be closed then.`
}

function deadlineHint({ drainDeadline }: Subject): string {
  const usual = drainDeadline === 0 ? 'wait for ever' : durationMark(drainDeadline)
  return `Requests still running then are aborted, and tunnels closed. Empty = ${usual}, 0 = wait for ever.`
}

/** An operator does not need to know that a circuit that is held open is called isolated. */
function circuitText({ state }: CircuitView): string {
  return state === 'open' || state === 'isolated' ? 'now has an open circuit' : `now has a ${state} circuit`
}

/** The longest time that a timer of the server can measure (s). */
const longest = 2_147_483

const hold: BackendField = {
  label: 'For (seconds)',
  hint: 'Empty = until it is released.',
  isRequired: false,
  minimum: 0.001,
  maximum: longest,
  step: 0.001,
}

/** A probe and its outcome. If it was inconclusive, `received` says why. */
export function probeText({ good, inconclusive, sent, received, timings }: ProbeView): string {
  const verdict = inconclusive === undefined ? (good ? 'good' : 'bad') : 'inconclusive, does not count'
  return `${verdict} (${sent} → ${received}, ${durationText(timings.took)})`
}

/** In the order of the menu. */
export const actions: Readonly<Record<ActionKind, Action>> = {
  ready: {
    label: 'Make ready',
    title: (id) => `Make ${id} ready`,
    consequence: () => 'It returns to rotation, unless it is unhealthy.',
    isOffered: always,
    run: async (api, { balancer, backend }) => {
      await api.setState(balancer, backend.id, 'ready')
      return 'is ready'
    },
  },
  drain: {
    label: 'Drain',
    title: (id) => `Drain ${id}`,
    field: {
      label: 'Deadline (seconds)',
      hint: deadlineHint,
      isRequired: false,
      minimum: 0,
      maximum: longest,
      step: 0.001,
    },
    consequence: (backend) =>
      `It gets no new requests. Requests in flight may finish until the deadline. ${inFlightText(backend)}`,
    isOffered: always,
    run: async (api, { balancer, backend, value }) => {
      await api.setState(balancer, backend.id, 'drain', inMs(value))
      return 'is draining'
    },
  },
  maintenance: {
    label: 'Put in maintenance',
    title: (id) => `Put ${id} in maintenance`,
    consequence: (backend) =>
      `It gets no new requests. Requests in flight are aborted at once. ${inFlightText(backend)}`,
    isOffered: always,
    run: async (api, { balancer, backend }) => {
      await api.setState(balancer, backend.id, 'maintenance')
      return 'is in maintenance'
    },
  },
  weight: {
    label: 'Set weight',
    title: (id) => `Set weight of ${id}`,
    field: {
      label: 'Weight',
      hint: 'Its share of the traffic, relative to the others: a whole number from 1 to 65535.',
      isRequired: true,
      minimum: 1,
      maximum: 65_535,
      step: 1,
      initial: ({ weight }) => weight,
    },
    consequence: ({ weight }) => `Its weight is ${weight} now.`,
    isOffered: always,
    run: async (api, { balancer, backend, revision, value }) => {
      await api.setWeight(balancer, backend.id, value ?? backend.weight, revision)
      return `now has weight ${value}`
    },
  },
  open: {
    label: 'Open circuit',
    title: (id) => `Open circuit of ${id}`,
    field: hold,
    consequence: () => 'It gets no new requests while its circuit is held open.',
    isOffered: hasCircuit,
    run: async (api, { balancer, backend, value }) =>
      circuitText(await api.setCircuit(balancer, backend.id, 'open', inMs(value))),
  },
  close: {
    label: 'Close circuit',
    title: (id) => `Close circuit of ${id}`,
    field: hold,
    consequence: () => 'Failures do not open its circuit while it is held closed.',
    isOffered: hasCircuit,
    run: async (api, { balancer, backend, value }) =>
      circuitText(await api.setCircuit(balancer, backend.id, 'closed', inMs(value))),
  },
  auto: {
    label: 'Release circuit',
    title: (id) => `Release circuit of ${id}`,
    consequence: () => 'Its circuit is no longer held: it opens and closes by itself.',
    isOffered: hasCircuit,
    run: async (api, { balancer, backend }) => circuitText(await api.setCircuit(balancer, backend.id, 'auto')),
  },
  probe: {
    label: 'Probe',
    title: (id) => `Probe ${id}`,
    consequence: () => 'Sends a health check probe now. It counts like any other probe.',
    isOffered: hasHealth,
    run: async (api, { balancer, backend }) => `was probed: ${probeText(await api.probe(balancer, backend.id))}`,
  },
}

/** The actions that a backend's menu offers, in its order. */
export function actionsFor(backend: BackendView): readonly (readonly [ActionKind, Action])[] {
  return (Object.entries(actions) as [ActionKind, Action][]).filter(([, action]) => action.isOffered(backend))
}

function fieldOf({ initial, hint, ...field }: BackendField, subject: Subject): Field {
  return {
    ...field,
    hint: typeof hint === 'string' ? hint : hint(subject),
    ...(initial !== undefined && { initial: initial(subject.backend) }),
  }
}

/** An action on a backend that awaits confirmation. */
export function backendIntent(kind: ActionKind, subject: Subject): Intent {
  const { backend } = subject
  const { title, field, consequence, run } = actions[kind]
  return {
    title: title(backend.id),
    consequence: consequence(backend),
    ...(field !== undefined && { field: fieldOf(field, subject) }),
    run: async (api, { value }) => `${backend.id} ${await run(api, { ...subject, value })}.`,
  }
}
