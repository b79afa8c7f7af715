import type { FastifyInstance } from 'fastify'

/** An instance, as far as it is read here. */
export interface InstancePart {
  readonly id: string
  readonly state: string
  /** What it tells of itself, by name. */
  readonly about: Readonly<Record<string, unknown>>
}

/** The part of `fastify.fleet` that is used here. By shape, since that package is optional. */
export interface FleetPart {
  readonly id: string
  /** The oldest first. */
  readonly instances: readonly InstancePart[]
  publish(topic: string, message: unknown): void
  subscribe(topic: string, callback: (message: unknown, from: string) => void): () => void
  ask(
    topic: string,
    question: unknown,
    options: { readonly whom: readonly string[] },
  ): Promise<{ readonly answers: ReadonlyMap<string, unknown> }>
  answer(topic: string, answer: (question: unknown) => unknown): () => void
  onChange(callback: () => void): () => void
  tell(name: string, read: () => unknown): () => void
  announce(): Promise<void>
}

/** The fleet that an app takes part in; undefined if it is alone. */
export function fleetOf(app: FastifyInstance): FleetPart | undefined {
  const { fleet } = app as { readonly fleet?: Partial<FleetPart> }
  return typeof fleet?.ask === 'function' ? (fleet as FleetPart) : undefined
}

/**
 * The instance that probes for all: the oldest that is not draining, of those that tell the same under `name`. The instance
 * `own` counts as one of them, whatever is known of it. Undefined before any is known.
 */
export function keeperOf(
  instances: readonly InstancePart[],
  name: string,
  terms: string,
  own: string,
): string | undefined {
  const alike = instances.filter(({ id, about }) => id === own || about[name] === terms)
  return (alike.find(({ state }) => state !== 'draining') ?? alike[0])?.id
}
