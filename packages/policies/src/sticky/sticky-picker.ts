import type { Backend, Picker, PickRequest } from '@fastify-balancer/balancer-core'

/** What the choice over one set is made with. */
interface StickyParts {
  /** The name of the policy within. */
  readonly name: string
  /** Chooses for new clients. */
  readonly picker: Picker
  /** The backends that bound clients may be sent to now, by their tokens. */
  readonly known: ReadonlyMap<string, Backend>
  tokensIn(this: void, request: PickRequest): readonly string[]
  isGenuine(this: void, token: string): boolean
  /** May a client whose backend is gone be bound to another? */
  readonly mayMove: boolean
}

/** Bound clients go to their backends, and only the others are left to the policy within: its shares stay what they are. */
export function stickyPicker({ name, picker, known, tokensIn, isGenuine, mayMove }: StickyParts): Picker {
  /** Null: it is gone, and no other may take its place. */
  function own(request: PickRequest): Backend | null | undefined {
    const tokens = tokensIn(request)
    for (const token of tokens) {
      const backend = known.get(token)
      if (backend !== undefined) return backend
    }
    return !mayMove && tokens.some(isGenuine) ? null : undefined
  }

  return {
    pick(request, asked = 0) {
      const backend = own(request)
      if (backend === undefined) return picker.pick(request, asked)
      if (backend === null || asked === 0) return backend
      // It refused, or has failed this request.
      return mayMove ? picker.pick(request, asked - 1) : null
    },
    peek(request, ahead = 0) {
      const backend = own(request)
      return backend === undefined ? picker.peek(request, ahead) : backend
    },
    bound(request) {
      const backend = own(request)
      return backend === undefined ? picker.bound?.(request) : backend
    },
    accepts: (request, backend) => picker.accepts?.(request, backend) ?? picker.peek(request) === backend,
    ...(picker.refuses !== undefined && {
      refuses: (request: PickRequest, backend: Backend) =>
        own(request) !== backend && picker.refuses!(request, backend),
    }),
    ...(picker.score !== undefined && { score: (backend: Backend) => picker.score!(backend) }),
    ...(picker.details !== undefined && { details: (backend: Backend) => picker.details!(backend) }),
    basis(request) {
      const isGone = own(request) == null && tokensIn(request).some(isGenuine)
      return { ...picker.basis?.(request), policy: name, bound: own(request)?.id ?? null, isGone }
    },
  }
}
