import { withoutSecrets } from '@fastify-balancer/option-schema'
import type { FastifyRequest } from 'fastify'
import type { AdminAction, RefusedChange } from './admin-change.ts'

/** How a change was refused. */
export type Refusal = RefusedChange['refused']

/** What a refused request was about; everything in it may be wrong. */
interface Target {
  readonly balancer: string
  readonly id: string
  readonly body: Readonly<Record<string, unknown>>
}

/** Longer texts are cut. */
const longest = 200

const cut = (text: unknown) => withoutSecrets(String(text)).slice(0, longest)

const to = (state: unknown) => (typeof state === 'string' ? ` to ${cut(state)}` : '')

/** For each route that changes something, by its operation: which change it makes, and what to call that. */
const changes: Readonly<Record<string, readonly [what: AdminAction, text: (target: Target) => string]>> = {
  replaceBackends: ['backends.replace', ({ balancer }) => `replace the backends of balancer ${balancer}`],
  rollBack: ['backends.rollback', ({ balancer }) => `roll back the backends of balancer ${balancer}`],
  addBackend: ['backend.add', ({ balancer }) => `add a backend to balancer ${balancer}`],
  updateBackend: ['backend.update', ({ id }) => `change ${id}`],
  removeBackend: ['backend.remove', ({ id }) => `remove ${id}`],
  setBackendState: ['backend.state', ({ id, body }) => `set ${id}${to(body['state'])}`],
  probeBackend: ['backend.probe', ({ id }) => `probe ${id}`],
  setCircuit: ['circuit.hold', ({ id, body }) => `set the circuit of ${id}${to(body['state'])}`],
  closeTunnel: ['tunnel.close', ({ id }) => `close tunnel ${id}`],
  restartServer: ['server.restart', () => 'restart the workers'],
  setServerState: ['server.state', ({ body }) => `set the server${to(body['state'])}`],
}

/** What a refused request wanted to change; undefined if it was no change, or one that has its own event (a reload). */
interface AttemptedChange {
  readonly what: AdminAction
  readonly balancer: string | undefined
  readonly backend: string | undefined
  /** `tried to remove b2, refused (409): no usable backend would be left` */
  readonly sentence: string
}

/** See `AttemptedChange`. */
export function attemptedChange(
  { routeOptions, params, query, body }: FastifyRequest,
  { statusCode, message }: Refusal,
): AttemptedChange | undefined {
  const { operationId = '' } = (routeOptions.schema ?? {}) as { readonly operationId?: string }
  const change = Object.hasOwn(changes, operationId) ? changes[operationId] : undefined
  const { dryRun } = (query ?? {}) as { readonly dryRun?: unknown }
  if (change === undefined || dryRun === true || dryRun === 'true') return undefined
  const [what, text] = change
  const { name, id } = (params ?? {}) as { readonly name?: string; readonly id?: string }
  const target = { balancer: cut(name), id: cut(id), body: (body ?? {}) as Target['body'] }
  // Then it is in force.
  const end = statusCode === 507 ? 'not saved' : 'refused'
  return {
    what,
    balancer: name === undefined ? undefined : target.balancer,
    backend: id === undefined || what === 'tunnel.close' ? undefined : target.id,
    sentence: `tried to ${text(target)}, ${end} (${statusCode}): ${cut(message)}`,
  }
}
