import { Type, type Static } from '@sinclair/typebox'

/** The outcome of a restart of all workers. */
export const RestartReport = Type.Object({
  applied: Type.Boolean({ description: 'All workers are new; false if the restart goes on' }),
  summary: Type.String({ description: 'What was done, in one line' }),
  faults: Type.Array(Type.String(), { description: 'Why nothing was done' }),
})
/** The outcome of a restart of all workers. */
export type RestartReport = Static<typeof RestartReport>

/** Replaces all workers; `who` is the operator who requested it, if known. */
export type Restart = (order: { readonly who: string | undefined }) => Promise<RestartReport>
