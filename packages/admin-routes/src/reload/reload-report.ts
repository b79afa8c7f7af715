// Room `reload`: reloading the configuration: its report and its events. The option `reload` does the work.
import { Type, type Static } from '@sinclair/typebox'

const OptionChangeView = Type.Object({
  option: Type.String({ description: 'Path of the option, e.g. `balancers.web.timeouts.headers`' }),
  from: Type.Optional(Type.Unknown({ description: 'Old value; absent if there was none. Secrets are `(hidden)`' })),
  to: Type.Optional(Type.Unknown()),
  overrides: Type.Optional(
    Type.Boolean({ description: 'Replaces a change made through this API since the last reload' }),
  ),
})

const FixedOptionView = Type.Object({
  option: Type.String(),
  from: Type.Optional(Type.Unknown()),
  to: Type.Optional(Type.Unknown()),
  why: Type.String({ description: 'Why it cannot change before the next start' }),
})

/** The outcome of a reload. */
export const ReloadReport = Type.Object({
  applied: Type.Boolean({ description: 'The new configuration is in force; false for a dry run, or with faults' }),
  trigger: Type.String({ description: 'What started it: `api`, `SIGHUP`, or the file that changed' }),
  summary: Type.String({ description: 'What has changed, or why nothing has, in one line' }),
  faults: Type.Array(Type.String(), { description: 'Why nothing was changed, each with its place' }),
  changes: Type.Array(OptionChangeView, { description: 'Changed options; in a dry run, those that would change' }),
  cannot: Type.Array(FixedOptionView, { description: 'Options that keep their value until the next start' }),
})
/** The outcome of a reload. Plain data, without secrets. */
export type ReloadReport = Static<typeof ReloadReport>

/** How to reload. */
export interface ReloadOrder {
  /** Change nothing, only report what would change. */
  readonly dryRun: boolean
  /** Apply it even if it leaves a balancer without a usable backend. */
  readonly force: boolean
  /** The operator who requested it, if known. */
  readonly who: string | undefined
}

/** Reads the configuration again and applies all of it or nothing. */
export type Reload = (order: ReloadOrder) => Promise<ReloadReport>
