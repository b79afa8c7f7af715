import { durationMark } from '../figures-text.ts'
import type { Action } from './action.ts'
import type { Confirmation } from '../orders/confirmation.ts'
import type { NumberField } from '../orders/intent.ts'
import { reasonField } from './reason-field.ts'
import { abortPoints, drainPoints, lastOneWarning, type Subject } from './subject.ts'

/** The longest time that a timer of the server can measure (s). */
export const longest = 2_147_483

function deadlineField({ view: { drainDeadline } }: Subject, isRequired: boolean): NumberField {
  const usual = drainDeadline === 0 ? 'wait for ever' : durationMark(drainDeadline)
  return {
    kind: 'number',
    name: 'deadline',
    label: 'Deadline (seconds)',
    hint: isRequired ? '0 = wait for ever.' : `Empty = ${usual} (the option drainDeadline), 0 = wait for ever.`,
    isRequired,
    minimum: 0,
    maximum: longest,
    step: 0.001,
  }
}

/** The deadline that would apply (ms). */
const deadlineOf = ({ view }: Subject, entered: Confirmation) => entered.milliseconds('deadline') ?? view.drainDeadline

const ready: Action = {
  label: 'Back to ready',
  title: (id) => `Make ${id} ready`,
  consequence: () => 'It returns to rotation, unless it is unhealthy.',
  isOffered: ({ state }) => state !== 'ready',
  run: async (api, { view, backend }) => {
    await api.setState(view.name, backend.id, 'ready')
    return 'is ready'
  },
}

const drain: Action = {
  label: 'Drain',
  title: (id) => `Drain ${id}`,
  fields: (subject) => [deadlineField(subject, false), reasonField],
  consequence: () => 'It gets no new requests, and stays in the list.',
  points: (subject, entered) => drainPoints(subject.backend, deadlineOf(subject, entered)),
  warning: lastOneWarning,
  isOffered: ({ state }) => state === 'ready',
  run: async (api, { view, backend }, confirmation) => {
    await api.setState(view.name, backend.id, 'drain', {
      deadline: confirmation.milliseconds('deadline'),
      reason: confirmation.text('reason'),
    })
    return 'is draining'
  },
}

const deadline: Action = {
  label: 'Change deadline',
  title: (id) => `Change deadline of ${id}`,
  fields: (subject) => [deadlineField(subject, true)],
  consequence: () => 'It is draining. From now on, this deadline applies.',
  points: (subject, entered) => drainPoints(subject.backend, deadlineOf(subject, entered)),
  isOffered: ({ state }) => state === 'drain',
  run: async (api, { view, backend }, confirmation) => {
    await api.setState(view.name, backend.id, 'drain', { deadline: confirmation.milliseconds('deadline') })
    return 'has a new deadline'
  },
}

const maintenance: Action = {
  label: 'Put in maintenance',
  title: (id) => `Put ${id} in maintenance`,
  fields: () => [reasonField],
  consequence: () => 'It gets no new requests, and stays in the list.',
  points: ({ backend }) => abortPoints(backend),
  warning: lastOneWarning,
  isOffered: ({ state }) => state !== 'maintenance',
  run: async (api, { view, backend }, confirmation) => {
    await api.setState(view.name, backend.id, 'maintenance', { reason: confirmation.text('reason') })
    return 'is in maintenance'
  },
}

const remove: Action = {
  label: 'Remove',
  title: (id) => `Remove ${id}`,
  fields: (subject) => [deadlineField(subject, false)],
  consequence: () => 'It is taken off the list and gets no new requests. A rollback brings it back.',
  points: (subject, entered) => drainPoints(subject.backend, deadlineOf(subject, entered)),
  warning: lastOneWarning,
  canBeForced: true,
  isOffered: () => true,
  run: async (api, { view, backend }, confirmation) => {
    const force = confirmation.isForced ? { force: true } : {}
    await api.removeBackend(view.name, backend.id, { deadline: confirmation.milliseconds('deadline'), ...force })
    return 'is removed'
  },
}

/** Actions that take a backend out of rotation, and back. */
export const stateActions = { ready, drain, deadline, maintenance, remove }
