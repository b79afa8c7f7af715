// Room `reload`: the configuration is read again, by whoever handed in how: what came of it is told, and saved lists follow.
import { Type, type Static } from '@sinclair/typebox'

const OptionChangeView = Type.Object({
  option: Type.String({ description: 'Where it stands, e.g. `balancers.web.timeouts.headers`' }),
  from: Type.Optional(Type.Unknown({ description: 'What may be a secret is `(hidden)`; absent where there was none' })),
  to: Type.Optional(Type.Unknown()),
  overrides: Type.Optional(
    Type.Boolean({ description: 'It replaces a change that was made through this API since the last reload' }),
  ),
})

const FixedOptionView = Type.Object({
  option: Type.String(),
  from: Type.Optional(Type.Unknown()),
  to: Type.Optional(Type.Unknown()),
  why: Type.String({ description: 'Why it cannot change before the next start' }),
})

/** What came of a reload. */
export const ReloadReport = Type.Object({
  applied: Type.Boolean({ description: 'It is in force; false for a dry run, and where there are faults' }),
  trigger: Type.String({ description: 'What it was for: `api`, `SIGHUP`, or the file that changed' }),
  faults: Type.Array(Type.String(), { description: 'Why nothing was changed, each with its place' }),
  changes: Type.Array(OptionChangeView, { description: 'What changes, or would' }),
  cannot: Type.Array(FixedOptionView, { description: 'What stays as it is until the next start' }),
})
/** What came of a reload. Plain data, without secrets. */
export type ReloadReport = Static<typeof ReloadReport>

/** What a reload may require. */
export interface ReloadOrder {
  /** Only say what it would change. */
  readonly dryRun: boolean
  /** Do it although it leaves a balancer without a usable backend, where it has one now. */
  readonly force: boolean
  /** Who asked for it, as far as that is known. */
  readonly who: string | undefined
}

/** Reads the configuration again and puts it in force, at once or not at all. */
export type Reload = (order: ReloadOrder) => Promise<ReloadReport>
