// Room `actions`: what an operator can order, and the dialogs for it.
import type { Api } from '../api/api.ts'
import { durationText } from '../figures-text.ts'
import type { Field, Intent } from './intent.ts'
import type { BackendView, ProbeView } from '../api/views.ts'

/** What an operator can do with a backend. */
export type ActionKind = 'ready' | 'drain' | 'maintenance' | 'weight' | 'open' | 'close' | 'auto' | 'probe'

/** A number whose first value is that of a backend. */
interface BackendField extends Omit<Field, 'initial'> {
  readonly initial?: (backend: BackendView) => number
}

/** Everything that is needed to do it. */
export interface Order {
  readonly balancer: string
  readonly backend: BackendView
  /** That of the list which the operator has seen. */
  readonly revision: number
  /** That of the field, if something was entered. */
  readonly value: number | undefined
}

/** Something that an operator can do. */
export interface Action {
  readonly label: string
  readonly field?: BackendField
  /** What will come of it. */
  readonly consequence: (backend: BackendView) => string
  /** Is there anything to do it with? */
  readonly isThere: (backend: BackendView) => boolean
  /** Does it; answers what to say then. @throws ApiError */
  readonly run: (api: Api, order: Order) => Promise<string>
}

const always = () => true
const hasCircuit = ({ circuit }: BackendView) => circuit !== undefined
const hasHealth = ({ health }: BackendView) => health !== undefined
const inMs = (seconds: number | undefined) => (seconds === undefined ? undefined : Math.round(1000 * seconds))

function rest(count: number): string {
  if (count === 0) return 'It has none now.'
  return count === 1 ? 'It has one now.' : `It has ${count} now.`
}

/** What a timer of the server can count, in s. */
const longest = 2_147_483

const hold: BackendField = {
  label: 'For (seconds)',
  hint: 'Until it is changed again, if nothing is entered.',
  isRequired: false,
  minimum: 0.001,
  maximum: longest,
  step: 0.001,
}

/** Of one that said nothing about the backend, `received` says why. */
export function probeText({ good, inconclusive, sent, received, timings }: ProbeView): string {
  const verdict = inconclusive === undefined ? (good ? 'good' : 'bad') : 'neither good nor bad'
  return `${verdict}: ${sent} → ${received}, ${durationText(timings.took)}`
}

/** In the order of the menu. */
export const actions: Readonly<Record<ActionKind, Action>> = {
  ready: {
    label: 'Ready',
    consequence: () => 'It takes part again, unless somebody else has a veto.',
    isThere: always,
    run: async (api, { balancer, backend }) => {
      await api.setState(balancer, backend.id, 'ready')
      return 'is ready'
    },
  },
  drain: {
    label: 'Drain',
    field: {
      label: 'Deadline (seconds)',
      hint: 'What is left then is cut; 0 = never. As long as the server says, if nothing is entered.',
      isRequired: false,
      minimum: 0,
      maximum: longest,
      step: 0.001,
    },
    consequence: ({ inFlight }) => `It gets no new requests, and finishes those that it has. ${rest(inFlight)}`,
    isThere: always,
    run: async (api, { balancer, backend, value }) => {
      await api.setState(balancer, backend.id, 'drain', inMs(value))
      return 'is drained'
    },
  },
  maintenance: {
    label: 'Maintenance',
    consequence: ({ inFlight }) => `It gets no new requests, and those that it has are cut at once. ${rest(inFlight)}`,
    isThere: always,
    run: async (api, { balancer, backend }) => {
      await api.setState(balancer, backend.id, 'maintenance')
      return 'is in maintenance'
    },
  },
  weight: {
    label: 'Weight',
    field: {
      label: 'Weight',
      hint: 'Its share of the traffic, relative to the others: a whole number from 1 to 65535.',
      isRequired: true,
      minimum: 1,
      maximum: 65_535,
      step: 1,
      initial: ({ weight }) => weight,
    },
    consequence: ({ weight }) => `Its weight is ${weight}.`,
    isThere: always,
    run: async (api, { balancer, backend, revision, value }) => {
      await api.setWeight(balancer, backend.id, value ?? backend.weight, revision)
      return `has the weight ${value}`
    },
  },
  open: {
    label: 'Open circuit',
    field: hold,
    consequence: () => 'It gets no new requests while its circuit is held open.',
    isThere: hasCircuit,
    run: async (api, { balancer, backend, value }) => {
      return `has the circuit ${(await api.setCircuit(balancer, backend.id, 'open', inMs(value))).state}`
    },
  },
  close: {
    label: 'Close circuit',
    field: hold,
    consequence: () => 'It gets requests, however many of them fail, while its circuit is held closed.',
    isThere: hasCircuit,
    run: async (api, { balancer, backend, value }) => {
      return `has the circuit ${(await api.setCircuit(balancer, backend.id, 'closed', inMs(value))).state}`
    },
  },
  auto: {
    label: 'Automatic circuit',
    consequence: () => 'Its circuit goes by what requests say; nobody holds it any more.',
    isThere: hasCircuit,
    run: async (api, { balancer, backend }) => {
      return `has the circuit ${(await api.setCircuit(balancer, backend.id, 'auto')).state}`
    },
  },
  probe: {
    label: 'Probe',
    consequence: () => 'It is asked at once whether it is well; the answer counts like any other.',
    isThere: hasHealth,
    run: async (api, { balancer, backend }) => {
      return `was probed, ${probeText(await api.probe(balancer, backend.id))}`
    },
  },
}

/** What can be done with a backend, in the order of the menu. */
export function actionsFor(backend: BackendView): readonly (readonly [ActionKind, Action])[] {
  return (Object.entries(actions) as [ActionKind, Action][]).filter(([, action]) => action.isThere(backend))
}

function fieldOf({ initial, ...field }: BackendField, backend: BackendView): Field {
  return { ...field, ...(initial !== undefined && { initial: initial(backend) }) }
}

/** An action that an operator is about to do with a backend. */
export function backendIntent(kind: ActionKind, order: Omit<Order, 'value'>): Intent {
  const { backend } = order
  const { label, field, consequence, run } = actions[kind]
  return {
    label,
    id: backend.id,
    consequence: consequence(backend),
    ...(field !== undefined && { field: fieldOf(field, backend) }),
    run: async (api, { value }) => `${backend.id} ${await run(api, { ...order, value })}.`,
  }
}
